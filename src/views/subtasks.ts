import { html } from 'ghtml'
import type { Sort } from '../work/list.ts'
import type { ListedSubtask } from '../work/subtasks.ts'
import { choice, field } from './forms.ts'
import { type Frame, type Html, layout } from './layout.ts'
import { type PageNumber, type Paged, amount, pager } from './pager.ts'
import { link, tableOf, text } from './table.ts'
import { mayWrite, tick, tickForm } from './work.ts'

export interface Choices {
  /** To choose from; undefined unless asked for: they may be many, and take as long to find as the rows. */
  readonly projects?: readonly { readonly id: string, readonly name: string }[] | undefined
  readonly filter: Filter
}

/** Which subtasks, and in which order; as in the address. */
export interface Filter {
  readonly q?: string
  readonly projectId?: string
  readonly taskId?: string
  readonly complete?: 'yes' | 'no'
  readonly sort?: Sort
}

const orders: Record<Sort, string> = { name: 'by name', '-name': 'by name, from Z to A', created: 'oldest first', '-created': 'newest first' }

export function subtasksPage (frame: Frame, listing: Paged<ListedSubtask>, { projects, filter }: Choices): Html {
  const path = subtasksPaths(filter)
  const writes = mayWrite(frame)
  return layout(frame, {
    title: listing.page === 1 ? 'Subtasks' : listing.page === 'last' ? 'Subtasks, last page' : `Subtasks, page ${listing.page}`,
    part: 'subtasks',
    main: html`<h1>Subtasks</h1>
<p class="summary">${amount(listing, 'subtask', 'subtasks')}, ${orders[filter.sort ?? 'name']}</p>
!${filterForm(filter, projects)}
!${listing.total === 0 ? empty(isFiltered(filter)) : table(listing.rows.map(subtask => cellsOf(subtask, writes)))}
!${pager(listing, path)}!${writes ? tickForm(path(listing.page)) : ''}`
  })
}

const isFiltered = ({ sort: _, ...filters }: Filter) => Object.values(filters).some(Boolean)

/** Where the pages of the listing with this filter are. */
export function subtasksPaths (filter: Filter = {}): (page: PageNumber) => string {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== undefined && value !== '')).toString()
  return page => `/subtasks/${page === 1 ? '' : `${page}/`}${query && `?${query}`}`
}

const orderOptions = Object.entries(orders).map(([value, label]) => [value, label.slice(0, 1).toUpperCase() + label.slice(1)] as const)

const empty = (filtered: boolean) => filtered
  ? html`<p class="empty">(No results) No subtask is like that. <a href="/subtasks/">Show all</a></p>`
  : html`<p class="empty">(No results) This account has no subtasks yet. They belong to tasks, and tasks to <a href="/projects/">projects</a>.</p>`

const filterForm = ({ q = '', projectId = '', taskId, complete, sort = 'name' }: Filter, projects: Choices['projects']): Html =>
  html`<form class="row" role="search" aria-label="Subtasks" method="get" action="/subtasks/">
!${field({ name: 'q', label: 'Search', value: q, type: 'search', wide: true })}
!${projects ? choice({ name: 'projectId', label: 'Project', value: projectId, options: [['', 'All'], ...projects.map(({ id, name }) => [id, name] as const)], first: !projectId }) : ''}
!${choice({ name: 'complete', label: 'Complete?', value: complete ?? '', options: [['', 'All'], ['no', 'Open'], ['yes', 'Done']] })}
!${choice({ name: 'sort', label: 'Order', value: sort, options: orderOptions })}
!${taskId ? html`<input type="hidden" name="taskId" value="${taskId}">` : ''}<button>Show</button>
!${projects ? '' : '<button class="quiet" name="choose" value="project">Choose a project</button>'}
</form>`

const table = tableOf(['Account', 'Project', 'Task', 'Subtask', 'Name', 'Complete?', 'Details'], 'Name')

const cellsOf = ({ id, account, projectId, project, taskId, task, name, isComplete, details }: ListedSubtask, writes: boolean): Html[] => [
  text(account),
  link(`/projects/${projectId}/`, project),
  link(`/tasks/${taskId}/`, task),
  html`<code title="${id}">&hellip;${id.slice(-8)}</code>`,
  link(`/subtasks/${id}/`, name),
  tick({ kind: 'subtask', id, name, isComplete }, writes),
  html`<span class="soft">${details}</span>`
]
