import { Type } from 'typebox'

/** What an error looks like to a program (RFC 9457), as a response of a route's schema. */
export const problem = {
  description: 'A problem',
  content: {
    'application/problem+json': {
      schema: Type.Object({
        type: Type.String(),
        status: Type.Integer(),
        code: Type.String({ description: 'Stable; meant for programs' }),
        title: Type.String({ description: 'One sentence for a person' })
      })
    }
  }
}
