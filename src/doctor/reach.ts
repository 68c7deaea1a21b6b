// What else the app role can reach: views, functions, schemas, extensions. Each is a way round the tables' walls.
import { forbidden } from '../db/roles.ts'
import { type Check, holds, setUp } from './check.ts'
import type { Facts, FunctionFacts, Relation } from './facts.ts'

const readable = ({ relations }: Facts, kind: Relation['kind']) => relations.filter(relation => relation.kind === kind && relation.privileges.length > 0)

/** Functions that may run with their owner's rights: they answer one exact question. */
const definers = (signing: boolean) => ['tenancy.resolve(text[])', ...signing ? ['tenancy.current_account()'] : []]

/** These read files, open connections, or run code as somebody else. */
const harmful = ['adminpack', 'autoinc', 'dblink', 'file_fdw', 'http', 'insert_username', 'lo', 'moddatetime', 'pageinspect', 'pg_cron', 'pg_net', 'pg_surgery', 'plperlu',
  'plpython3u', 'pltclu', 'postgres_fdw', 'refint', 'tcn']

const callable = ({ functions }: Facts): FunctionFacts[] => functions.filter(each => each.executable)

export const reach: readonly Check[] = [
  {
    id: 'D14',
    severity: 'critical',
    title: 'Views that the app role can use are security_invoker',
    mend: 'ALTER VIEW ... SET (security_invoker = true).',
    find: facts => readable(facts, 'view').filter(view => !view.invoker).map(({ name }) => `The view ${name} reads with its owner's rights.`)
  },
  {
    id: 'D15',
    severity: 'critical',
    title: 'The app role can use no materialized view',
    mend: 'REVOKE it: row-level security does not reach into its copy of the rows.',
    find: facts => readable(facts, 'materialized view').map(({ name }) => `The app role can read the materialized view ${name}.`)
  },
  {
    id: 'D16',
    severity: 'critical',
    title: 'The app role can use no foreign table',
    mend: 'REVOKE it: row-level security does not bind what comes from elsewhere.',
    find: facts => readable(facts, 'foreign table').map(({ name }) => `The app role can reach the foreign table ${name}.`)
  },
  {
    id: 'D17',
    severity: 'critical',
    title: 'No function that the app role can call has more rights than it, but our own',
    mend: 'ALTER FUNCTION ... SECURITY INVOKER, or REVOKE EXECUTE ... FROM PUBLIC.',
    find: (facts, { signing }) => callable(facts).filter(({ definer }) => definer).flatMap(({ name, owner, ownerIsSuper }) => {
      if (!definers(signing !== undefined).includes(name)) return [`The app role may call ${name}, which runs with the rights of ${owner}.`]
      return ownerIsSuper ? [`${name} runs with the rights of ${owner}, a superuser, instead of the owner's.`] : []
    })
  },
  {
    id: 'D18',
    severity: 'high',
    title: 'Functions with their owner\'s rights have a fixed search_path',
    mend: 'ALTER FUNCTION ... SET search_path = pg_catalog, pg_temp.',
    find: facts => callable(facts).filter(({ definer, fixedSearchPath }) => definer && !fixedSearchPath).map(({ name }) => `${name} has no search_path of its own, so its caller's decides what it calls.`)
  },
  {
    id: 'D19',
    severity: 'critical',
    title: 'No function of this database claims to be LEAKPROOF',
    mend: 'ALTER FUNCTION ... NOT LEAKPROOF: a leakproof function is run on rows before their policy.',
    find: ({ functions }) => functions.filter(({ leakproof }) => leakproof).map(({ name }) => `${name} is LEAKPROOF.`)
  },
  {
    id: 'D21',
    severity: 'high',
    title: 'The app role can create nothing in any schema',
    mend: 'REVOKE CREATE ON SCHEMA ... FROM PUBLIC and from the app role.',
    find: ({ schemas }) => schemas.filter(({ create }) => create).map(({ name }) => `The app role may create in the schema ${name}.`)
  },
  {
    id: 'D22',
    severity: 'high',
    title: 'The app role can create no schema and no temporary table',
    mend: setUp,
    find: ({ database }) => [...database.create ? ['CREATE'] : [], ...database.temporary ? ['TEMPORARY'] : []].map(right => `The app role has ${right} on the database.`)
  },
  {
    id: 'D24',
    severity: 'high',
    title: 'No extension reads files, opens connections or runs code as somebody else',
    mend: 'DROP EXTENSION.',
    find: ({ extensions }) => extensions.filter(name => harmful.includes(name)).map(name => `The extension ${name} is installed.`)
  },
  {
    id: 'D25',
    severity: 'high',
    title: 'There is no untrusted language',
    mend: 'DROP LANGUAGE.',
    find: ({ languages }) => languages.map(name => `The language ${name} can do what the server's user can.`)
  },
  {
    id: 'D28',
    severity: 'critical',
    title: 'The tenant cannot be forged: set_config is revoked, or the tenant context is signed',
    mend: 'Run npm run db:setup as a superuser, or set TENANT_SIGNING=on and run npm run db:migrate.',
    find: ({ callable: builtIn }, { signing }) =>
      builtIn.includes('set_config') && !signing ? ['The app role may call set_config, with which an injected SELECT could name another tenant.'] : []
  },
  {
    id: 'D29',
    severity: 'medium',
    title: 'The app role can call nothing that stores past row-level security, or stops and blocks others',
    mend: `${setUp} (Where nobody is one, this stays.)`,
    find: ({ callable: builtIn }) => {
      const open = builtIn.filter(name => name !== 'set_config' && forbidden.some(each => each === name))
      return open.length ? [`The app role may call ${open.join(', ')}.`] : []
    }
  },
  {
    id: 'D30',
    severity: 'high',
    title: 'Nothing that is created later is everybody\'s from the start',
    mend: 'ALTER DEFAULT PRIVILEGES ... REVOKE.',
    find: ({ defaults }) => defaults.map(grant => `By default, ${grant}.`)
  },
  {
    id: 'D35',
    severity: 'low',
    title: 'The app role can use no sequence',
    mend: 'REVOKE it: its numbers tell how many rows all accounts have.',
    find: ({ relations }) => relations.filter(relation => relation.kind === 'sequence' && holds(relation, 'SELECT', 'USAGE', 'UPDATE').length > 0).map(({ name }) => `The app role can use the sequence ${name}.`)
  }
]
