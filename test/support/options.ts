import { InvalidArgumentError } from 'commander'

/** For an option of a program that takes a number. */
export function natural (text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, 1 to 999999.')
  return Number(text)
}
