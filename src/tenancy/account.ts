import { TenantMissingError } from '../errors.ts'

declare const brand: unique symbol

/** The id of an account that has been checked to be one; a plain number does not compile where a tenant is wanted. */
export type AccountId = number & { readonly [brand]: true }

/** @throws {TenantMissingError} unless the value is a positive integer below 2^53 */
export function accountId (value: unknown): AccountId {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value <= 0) throw new TenantMissingError()
  return value as AccountId
}
