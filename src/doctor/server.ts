// The server and the way to it.
import { type Check, setUp } from './check.ts'

/** The oldest minor versions without known holes that matter here (2026-05-14: eleven CVEs, of which one gives code execution to plain SQL). */
const floors: Record<number, number> = { 15: 150018, 16: 160014, 17: 170010, 18: 180004 }

export const server: readonly Check[] = [
  {
    id: 'D36',
    severity: 'critical',
    title: 'row_security is on for this connection',
    mend: 'ALTER ROLE or ALTER DATABASE ... RESET row_security.',
    find: ({ session }) => session.row_security === 'on' ? [] : ['row_security is off, so every query on a tenant table is an error.']
  },
  {
    id: 'D37',
    severity: ({ production }) => production ? 'high' : 'medium',
    title: 'PostgreSQL is recent enough',
    mend: 'Install the newest minor version of its branch.',
    find: ({ server: { version } }) => {
      const branch = Math.floor(version / 10_000)
      const floor = branch > 18 ? 0 : floors[branch]
      if (floor === undefined) return [`PostgreSQL ${branch} is older than 15, or not supported any more.`]
      return version >= floor ? [] : [`PostgreSQL ${branch}.${version % 10_000} has holes that ${branch}.${floor % 10_000} closed.`]
    }
  },
  {
    id: 'D43',
    severity: 'medium',
    title: 'Passwords and rows are not sent in the clear',
    mend: 'Add ?sslmode=require to DATABASE_URL; set password_encryption to scram-sha-256 and set the passwords anew.',
    find: ({ server, session }, { local }) => [
      ...local || session.ssl ? [] : ['The connection to the server is not encrypted.'],
      ...server.passwordEncryption === 'scram-sha-256' ? [] : [`New passwords are stored as ${server.passwordEncryption}.`]
    ]
  },
  {
    id: 'D44',
    severity: 'high',
    title: 'There are connections enough, and whatever is in between carries our statements',
    mend: 'Lower POOL_MAX or WEB_CONCURRENCY, or raise max_connections or the role\'s or the database\'s CONNECTION LIMIT.',
    find: ({ server, role, database }, { connections, pooler, preparedStatements }) => [
      ...([['The server', server.connections], [`The role ${role.name}`, role.connectionLimit], [`The database ${database.name}`, database.connectionLimit]] as const)
        .filter(([, limit]) => limit !== -1 && limit < connections && !pooler.pooler)
        .map(([what, limit]) => `${what} has ${limit} connections for us, and one server of ours wants up to ${connections}.`),
      ...pooler.pooler && !pooler.namedStatements && preparedStatements
        ? [['A pooler that knows no named statements (PgBouncer before 1.21, say) is in between.', 'Set PREPARED_STATEMENTS=off.', 'critical'] as const]
        : []
    ]
  },
  {
    id: 'D46',
    severity: 'medium',
    title: 'Clocks, text and time zones agree',
    mend: `Set the clocks by NTP; make the database anew with ENCODING 'UTF8'; time zone: ${setUp}`,
    find: ({ server }, { clock }) => [
      ...Math.abs(server.clock - clock) > 5_000 ? [`The server's clock is ${Math.round((server.clock - clock) / 1000)} s from ours.`] : [],
      ...server.encoding === 'UTF8' ? [] : [`The database's encoding is ${server.encoding}, which cannot hold every text.`],
      ...server.timezone === 'UTC' ? [] : [`The time zone of our connections is ${server.timezone} instead of UTC.`]
    ]
  }
]
