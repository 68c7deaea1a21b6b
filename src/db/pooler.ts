// Is there a pooler (PgBouncer and its like) between us and the server, and does it carry named prepared statements? Before version 1.21,
// and with max_prepared_statements = 0, PgBouncer in transaction mode does not: a statement is prepared on the one server connection
// that happened to be lent, and the next transaction, on another, fails with 26000. Then PREPARED_STATEMENTS must be off.
import postgres from 'postgres'

export interface Pooler {
  /** The server's process is not the one that the connection was told at its start. */
  readonly pooler: boolean
  /** Whether named statements may be used. Never said of a pooler that only might carry them, as in session mode. */
  readonly namedStatements: boolean
}

/**
 * Opens a connection of its own, and ends it.
 * @param url the app role's
 */
export async function findPooler (url: string): Promise<Pooler> {
  const sql = postgres(url, { max: 1, fetch_types: false, connect_timeout: 10, onnotice: () => {}, connection: { application_name: 'rowhouse' } })
  try {
    const { state, 0: row } = await sql.unsafe('select pg_backend_pid() as pid', [], extended(false))
    if (state!.pid === row!.pid) return { pooler: false, namedStatements: true }
    return { pooler: true, namedStatements: await carriesNames(sql) }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

const extended = (prepare: boolean) => ({ prepare, simple: false }) as postgres.UnsafeQueryOptions

/** A pooler that carries named statements gives them names of its own, so that those of its clients cannot collide: PGBOUNCER_7, say. */
async function carriesNames (sql: postgres.Sql): Promise<boolean> {
  const question = 'select name from pg_prepared_statements where statement like \'%/* which name has this? */%\''
  await sql.unsafe('begin read only')
  try {
    const rows = await sql.unsafe(question, [], extended(true))
    const { statement } = rows
    const ours = rows.some(row => row.name === statement.name)
    if (ours) await sql.unsafe(`deallocate "${statement.name}"`) // or it would stay with the server connection
    return !ours && rows.length > 0
  } catch (error) {
    if (error instanceof postgres.PostgresError && error.severity !== 'FATAL') return false
    throw error
  } finally {
    await sql.unsafe('rollback')
  }
}
