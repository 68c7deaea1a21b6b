// How long the database may work or wait for us, in milliseconds. The server's limits belong to the app role (ALTER ROLE, in roles.ts),
// because poolers refuse them as start-up parameters; the client gives up a little later, and then for good.
export const limits = {
  statement: 5_000,
  idleInTransaction: 10_000,
  lock: 2_000,
  transaction: 60_000,
  /** How often the server looks whether the client of a running statement is still there. */
  connectionCheck: 2_000,
  /** Past this a silent server is taken for lost, and the connection is destroyed. */
  reply: 6_000,
  /** How long a request waits for a connection before it is answered 503. */
  acquire: 2_000,
  /** How long a start and a command wait for their first connection: the server may be starting, too, or its machine be busy. */
  start: 10_000
} as const
