// Strings that people give, as schemas. Lengths count code points, as char_length() does in the database: an emoji is one, not two.
import { type TSchemaOptions, Type } from 'typebox'
import { roles } from '../auth/roles.ts'

/** Any text that can be stored: lines, tabs and signs of every script, but no NUL and no half of a surrogate pair (format: input.ts). */
export const text = (maxLength: number, options: TSchemaOptions = {}) => Type.String({ maxLength, format: 'text', ...options })

/** What a thing or a person is called: one line with something to read in it. As long as schema.ts lets it be, unless given. */
export const name = (options: TSchemaOptions & { maxLength?: number } = {}) => Type.String({ minLength: 1, maxLength: 500, format: 'name', ...options })

/** Capitals or not: it is compared and stored without. As long as SMTP knows them (RFC 5321). */
export const email = (options: TSchemaOptions = {}) =>
  Type.String({ maxLength: 254, format: 'email', description: 'Kept in lower case', examples: ['ann@example.com'], ...options })

export const id = (options: TSchemaOptions = {}) => Type.String({ format: 'uuid', ...options })
/** Of replies. */
export const moment = (options: TSchemaOptions = {}) => Type.Unsafe<Date>({ type: 'string', format: 'date-time', ...options })

export const role = Type.Enum([...roles], { description: 'What they may do here: a viewer reads, a member works, an admin manages people, an owner manages owners, too' })
