import { Type } from 'typebox'
import { AppError, type ErrorCode } from '../errors.ts'

/** What an error looks like to a program (RFC 9457), as a response of a route's schema. */
const problem = (description: string, example: ErrorCode) => {
  const { statusCode: status, code, message: title } = new AppError(example)
  const schema = Type.Object({
    type: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable; meant for programs' }),
    title: Type.String({ description: 'One sentence for a person' })
  }, { examples: [{ type: 'about:blank', status, code, title }] })
  return { description, content: { 'application/problem+json': { schema } } }
}

/** Of every route. */
export const problems = {
  '4xx': problem('The request cannot be served as it is', 'not_found'),
  '5xx': problem('Not now: it is our side that fails', 'database_unavailable')
}
