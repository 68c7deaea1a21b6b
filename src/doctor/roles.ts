// The role that serves: what it is, what it belongs to, what it owns, and how it was set.
import { appRoleSettings, roleNames } from '../db/roles.ts'
import { type Check, setUp } from './check.ts'

export const roles: readonly Check[] = [
  {
    id: 'D01',
    severity: 'critical',
    title: 'The app role has no right that voids the walls',
    mend: `Serve as ${roleNames.app}, or take these rights away with ALTER ROLE.`,
    find: ({ role }) => role.rights.length ? [`The role ${role.name} has ${role.rights.join(', ')}${role.rights.includes('SUPERUSER') ? ': a superuser, whom row-level security does not bind' : ''}.`] : []
  },
  {
    id: 'D02',
    severity: 'critical',
    title: 'The app role is a member of no mighty role',
    mend: 'REVOKE that membership.',
    find: ({ role }) => role.rights.includes('SUPERUSER')
      ? []
      : role.memberships.filter(({ mighty, owns }) => mighty || owns).map(({ role: name, owns }) =>
        `The role ${role.name} is a member of ${name}, which ${owns ? 'owns tables' : 'has rights of its own'}.`)
  },
  {
    id: 'D03',
    severity: 'critical',
    title: 'The app role owns nothing',
    mend: `Serve as ${roleNames.app}, and have ${roleNames.owner} own everything.`,
    find: ({ role: { name }, relations, functions, schemas, database }) => {
      const owned = [...relations, ...functions, ...schemas.map(schema => ({ ...schema, name: `the schema ${schema.name}` })), { ...database, name: 'the database' }]
        .filter(({ owner }) => owner === name).map(each => each.name)
      return owned.length ? [`The role ${name} owns ${owned.join(', ')}, and an owner can lift its walls.`] : []
    }
  },
  {
    id: 'D26',
    severity: 'high',
    title: 'The app role\'s settings are those that db:setup makes',
    mend: 'Run npm run db:setup, and take back what ALTER ROLE has set besides.',
    find: ({ role, server }) => {
      const settings = new Map(role.settings.map(setting => setting.split(/=(.*)/s).slice(0, 2) as [string, string]))
      const wanted = Object.entries(appRoleSettings(server.version)).map(([name, value]) => [name, String(value)] as const)
      return [
        ...wanted.filter(([name, value]) => settings.get(name) !== value).map(([name, value]) =>
          `${role.name} has ${settings.has(name) ? `${name} = ${settings.get(name)}` : `no ${name}`} instead of ${value}.`),
        ...[...settings.keys()].filter(name => !wanted.some(([each]) => each === name) && name !== 'app.current_tenant').map(name => `${role.name} has a setting of its own: ${name} = ${settings.get(name)}.`)
      ]
    }
  },
  {
    id: 'D27',
    severity: 'high',
    title: 'Nobody has fixed a tenant',
    mend: 'ALTER ROLE or ALTER DATABASE ... RESET app.current_tenant.',
    find: ({ role, session }) => [
      ...role.fixedTenants.map(name => `app.current_tenant has been set for ${name === 'public' ? 'a whole database' : name}, so a connection has a tenant before anyone entered one.`),
      ...session.tenant && role.fixedTenants.length === 0 ? ['A fresh connection has a tenant already.'] : []
    ]
  },
  {
    id: 'D38',
    severity: 'high',
    title: 'The server\'s time limits are on',
    mend: setUp,
    find: ({ session, role, server }) => (['statement_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout', 'client_connection_check_interval', 'transaction_timeout'] as const)
      .filter(name => session[name] === '0' && (name !== 'transaction_timeout' || server.version >= 170000))
      .map(name => `${name} is off for ${role.name}, so a stuck statement or transaction is never ended.`)
  },
  {
    id: 'D47',
    severity: 'critical',
    title: 'Requests are served as the app role, and by nobody else',
    mend: `Set DATABASE_URL to ${roleNames.app}.`,
    find: ({ role, servingRoles }) => [
      ...role.name === roleNames.app ? [] : [`This program connects as ${role.name}; policies and grants are made for ${roleNames.app}.`],
      ...servingRoles.filter(name => name !== roleNames.app && name !== role.name).map(name =>
        [`Another server of this database is connected as ${name}.`, `Set its DATABASE_URL to ${roleNames.app}.`, 'high'] as const)
    ]
  }
]
