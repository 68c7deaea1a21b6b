import type postgres from 'postgres'
import type { Config } from '../config.ts'
import { openDatabase } from '../db/database.ts'
import { connect, unreachable, withDatabaseName } from '../db/roles.ts'
import { type Audit, catalogue, firstAudit } from '../doctor/audit.ts'
import type { Finding, Severity } from '../doctor/check.ts'
import { findOrphans, findStrangeKeys } from '../doctor/behind.ts'
import { createDirectory } from '../tenancy/directory.ts'

/** Exit code 1 if something is critical or high. */
export default async function (config: Config, _signal: AbortSignal, { json }: { json: boolean }): Promise<number> {
  const database = await openDatabase(config)
  const directory = createDirectory(database.appUrl, config)
  try {
    const found = await firstAudit(directory, config, database.appUrl)
    const owner = config.databaseUrl ? config.ownerDatabaseUrl : database.ownerUrl
    const admin = database.adminUrl ?? config.adminDatabaseUrl
    const findings = [
      ...found.findings,
      ...owner ? await lookAs('OWNER_DATABASE_URL', owner, sql => findStrangeKeys(sql, config.signing)) : [],
      ...admin ? await lookAs('ADMIN_DATABASE_URL', withDatabaseName(admin, found.facts.database.name), findOrphans) : []
    ]
    const report = reportOf(found, findings, {
      ...!owner && config.signing && { D28: 'The keys were not compared: that takes OWNER_DATABASE_URL.' },
      ...!admin && { D42: 'Rows were not compared: that takes ADMIN_DATABASE_URL.' }
    })
    console.log(json ? JSON.stringify(report, undefined, 2) : inText(report))
    return report.summary.critical + report.summary.high > 0 ? 1 : 0
  } finally {
    await directory.close()
    await database.release()
  }
}

async function lookAs (variable: string, url: string, look: (sql: postgres.Sql) => Promise<Finding[]>): Promise<Finding[]> {
  const sql = connect(url)
  try {
    return await look(sql)
  } catch (error) {
    throw unreachable(variable, error)
  } finally {
    await sql.end()
  }
}

type Report = ReturnType<typeof reportOf>

function reportOf ({ facts, expected }: Audit, findings: readonly Finding[], partly: Record<string, string>) {
  const { role, server, database } = facts
  const of = (severity: Severity) => findings.filter(finding => finding.severity === severity).length
  return {
    database: {
      name: database.name,
      role: role.name,
      postgresql: `${Math.floor(server.version / 10_000)}.${server.version % 10_000}`,
      lock: [...facts.callable.includes('set_config') ? [] : ['set_config is revoked'], ...expected.signing ? ['the tenant context is signed'] : []].join(', ') || 'nothing',
      pooler: expected.pooler.pooler
    },
    checks: catalogue.map(({ id, title }) => ({
      id,
      title,
      ok: !findings.some(finding => finding.id === id),
      ...partly[id] && { partly: partly[id] },
      findings: findings.filter(finding => finding.id === id).map(({ severity, found, mend }) => ({ severity, found, mend }))
    })),
    summary: { checks: catalogue.length, critical: of('critical'), high: of('high'), medium: of('medium'), low: of('low') }
  }
}

function inText ({ database, checks, summary }: Report): string {
  const { critical, high, medium, low } = summary
  const found = critical + high + medium + low
  return [
    `PostgreSQL ${database.postgresql}, database ${database.name}, as ${database.role}${database.pooler ? ', by way of a pooler' : ''}. Against forged tenants: ${database.lock}.`, '',
    ...checks.flatMap(({ id, title, ok, findings, partly }) => [
      `${ok ? '✓' : '✗'} ${id}  ${title}.${partly ? ` ${partly}` : ''}`,
      ...findings.flatMap(each => [`       ${each.severity}: ${each.found}`, `       To mend it: ${each.mend}`])
    ]), '',
    found === 0
      ? `${summary.checks} checks, nothing found.`
      : `${summary.checks} checks: ${[[critical, 'critical'], [high, 'high'], [medium, 'medium'], [low, 'low']].filter(([n]) => n).map(pair => pair.join(' ')).join(', ')}.`
  ].join('\n')
}
