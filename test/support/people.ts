// Users who sign in with a password, and the browsers they do it with.
import type postgres from 'postgres'
import { hashPassword } from '../../src/auth/passwords.ts'
import type { Role } from '../../src/auth/roles.ts'
import type { Reply, Site } from './http.ts'

export interface Person { email: string, password: string, role?: Role, isActive?: boolean, passwordHash?: string }

/** @returns the user's id */
export async function addUser (admin: postgres.Sql, account: number, { email, password, role = 'member', isActive = true, passwordHash }: Person): Promise<string> {
  const hash = passwordHash ?? await hashPassword(password)
  const [row] = await admin<{ id: string }[]>`
    insert into users (account_id, id, email, first_name, last_name, password_hash, role, is_active)
    values (${account}, gen_random_uuid(), ${email}, 'Pat', 'Person', ${hash}, ${role}, ${isActive}) returning id`
  return row!.id
}

export const fromOurPage = { 'sec-fetch-site': 'same-origin' }

/** What a browser sends with a form. */
export const asForm = (fields: Record<string, string>) => ({ payload: new URLSearchParams(fields).toString(), type: 'application/x-www-form-urlencoded' })

/** Posts a form as a browser without cookies would, unless the headers have some. */
export function post (site: Site, host: string, path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Reply> {
  const { payload, type } = asForm(fields)
  return site.get(host, path, { method: 'POST', headers: { cookie: '', ...fromOurPage, 'content-type': type, ...headers }, payload })
}

export const signInAs = (site: Site, host: string, { email, password }: Pick<Person, 'email' | 'password'>, headers?: Record<string, string>) =>
  post(site, host, '/sign-in', { email, password }, headers)

/** Of a reply that sets one: as the browser would send it back. */
export function cookieOf ({ headers }: Reply): string {
  const [cookie = ''] = headers['set-cookie'] ?? []
  return cookie.split(';')[0]!
}
