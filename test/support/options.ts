import { InvalidArgumentError } from 'commander'

/** For an option of a program that takes a number of so many digits. */
export const natural = (digits: number) => (text: string): number => {
  if (!/^[1-9]\d*$/.test(text) || text.length > digits) throw new InvalidArgumentError(`It must be a whole number, 1 to ${'9'.repeat(digits)}.`)
  return Number(text)
}
