// Who may do what: the one table of it. A route says which permission it takes (config: { may }); admission.ts asks here.

export const roles = ['owner', 'admin', 'member', 'viewer'] as const
export type Role = typeof roles[number]

/** What an API token may be used for. */
export const scopes = ['read', 'write'] as const
export type Scope = typeof scopes[number]

const permissions = {
  /** See projects, tasks, subtasks, and who else is here. */
  read: ['owner', 'admin', 'member', 'viewer'],
  /** Change projects, tasks and subtasks. */
  write: ['owner', 'admin', 'member'],
  /** Invite people, change their roles, deactivate them. Only an owner makes or unmakes an owner. */
  manageUsers: ['owner', 'admin'],
  readAudit: ['owner', 'admin'],
  /** One's own password, sessions and API tokens. */
  manageSelf: ['owner', 'admin', 'member', 'viewer']
} as const satisfies Record<string, readonly Role[]>

export type Permission = keyof typeof permissions

/** What API tokens are for, by scope. What would outlast a token, or make more of them, takes a person. */
const ofScope: Record<Scope, readonly Permission[]> = {
  read: ['read', 'readAudit'],
  write: ['read', 'readAudit', 'write', 'manageUsers']
}

/** @param scope of the API token, if the user comes with one */
export function may (role: Role, permission: Permission, scope?: Scope): boolean {
  const allowed: readonly Role[] = permissions[permission]
  return allowed.includes(role) && (scope === undefined || ofScope[scope].includes(permission))
}

/** Only an owner may give or take the owner's role. */
export function mayAssign (role: Role, from: Role, to: Role): boolean {
  return may(role, 'manageUsers') && (role === 'owner' || (from !== 'owner' && to !== 'owner'))
}
