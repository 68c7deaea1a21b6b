// The fields of forms, and what to say at one that cannot be read.
import { Type } from 'typebox'
import { name, text } from '../text.ts'

export const named = name({ description: 'What people call it' })
export const details = text(10_000, { description: 'Anything else about it' })

export const sentences = {
  name: 'A name is one line of 1 to 500 characters, with something to read in it.',
  details: 'The details may have up to 10,000 characters, all of which can be stored.'
}

/** Whether it is to be complete, and on which of our pages that was said. */
export const completion = {
  complete: Type.Enum(['yes', 'no']),
  back: Type.String({ maxLength: 1_000, pattern: '^/(?![/\\\\])[\\x21-\\x5b\\x5d-\\x7e]*$', description: 'Where to go then: a path of this host' })
}
