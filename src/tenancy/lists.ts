// The lists that a resource is asked for: by any of its filters together, in any of its orders. Each combination is described once, at
// its first use, so that its statements are built once for the process and prepared once for each connection.
import { type Placeholder, type SQL, and, placeholder } from 'drizzle-orm'
import type { TenantTable } from '../db/tenant-table.ts'
import { listOf, reversed } from './pages.ts'
import type { ColumnsOf, Join, Order, Query } from './query.ts'

export interface ListsOf<F extends TenantTable, J extends readonly Join[], C extends ColumnsOf<F, J>, N extends string, S extends string>
  extends Pick<Query<F, J, C>, 'from' | 'joins' | 'columns'> {
  /** Conditions, each on a value that a caller gives by the filter's name; on columns of `from` and of what is joined. */
  readonly filters: Readonly<Record<N, (value: Placeholder) => SQL>>
  /** Orders, each ending with the id; the first is taken where none is asked for. Each is there backwards, too, with a minus: -name. */
  readonly sorts: Readonly<Record<S, readonly Order[]>>
}

/**
 *     const tasksOf = lists({
 *       from: tasks,
 *       columns: { id: tasks.id, name: tasks.name },
 *       filters: { project: value => eq(tasks.projectId, value), q: value => contains(tasks.name, value) },
 *       sorts: { name: [tasks.name, tasks.id] }
 *     })
 *     tenant.page(tasksOf.list({ project, q }, '-name'), { limit, from: cursor }, { project, q })
 *
 * @throws {TypeError} if pages cannot be made of it; {AppError} not_tenanted
 */
export function lists<
  F extends TenantTable, N extends string, S extends string, const J extends readonly Join[] = [], C extends ColumnsOf<F, J> = ColumnsOf<F, J>
> ({ filters, sorts, ...base }: ListsOf<F, J, C, N, S>) {
  const filterNames = Object.keys(filters) as N[]
  const orders = new Map(Object.entries<readonly Order[]>(sorts).flatMap(([name, order]) => [[name, order], [`-${name}`, order.map(reversed)]] as const))
  const described = new Map<string, Query<F, J, C>>()

  /** The list of what passes the filters for which there is a value that is not undefined. */
  function list (given: { readonly [name in N]?: unknown } = {}, sort: S | `-${S}` = Object.keys(sorts)[0] as S): Query<F, J, C> {
    const orderBy = orders.get(sort)
    if (!orderBy) throw new TypeError(`There is no order "${sort}".`)
    const chosen = filterNames.filter(name => given[name] !== undefined)
    const key = [sort, ...chosen].join()
    let description = described.get(key)
    if (!description) {
      const where = and(...chosen.map(name => filters[name](placeholder(name))))
      described.set(key, description = { ...base, orderBy, ...where && { where } })
    }
    return description
  }

  const everything = Object.fromEntries(filterNames.map(name => [name, true])) as { [name in N]: true }
  for (const sort of orders.keys()) listOf(list(everything, sort as S)) // what is wrong is wrong at the start
  return { list, sorts: [...orders.keys()] as (S | `-${S}`)[] }
}
