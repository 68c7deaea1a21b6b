import { html } from 'ghtml'
import type { Filled } from './forms.ts'
import { type Frame, type Html, layout } from './layout.ts'
import { type Paged, amount, morePages, number, pagePath } from './pager.ts'
import { type Done, bar, street } from './progress.ts'
import { type Thing, above, addForm, changeLinks, mayWrite, tick, tickForm } from './work.ts'

export interface ProjectRow extends Done { readonly id: string, readonly name: string }

export interface Overview {
  readonly projects: number
  readonly subtasks: Done
  /** The projects with the most subtasks. */
  readonly largest: readonly ProjectRow[]
}

/** The overview is on the first page. */
export interface ProjectList extends Paged<ProjectRow> {
  readonly overview?: Overview | undefined
}

export function projectsPage (frame: Frame, { overview, ...listing }: ProjectList, filled?: Filled): Html {
  return layout(frame, {
    title: 'Projects',
    part: 'projects',
    main: html`<h1>Projects</h1>
!${overview ? summary(overview) : html`<p class="summary">${amount(listing, 'project', 'projects')}, by name</p>`}
!${mayWrite(frame) ? addForm('/projects/', 'New project', filled) : ''}
!${listing.total === 0
  ? '<p class="empty">There are no projects yet.</p>'
  : html`<ul class="things">
!${listing.rows.map(({ id, name, ...done }) => html`<li><a class="name" href="/projects/${id}/">${name}</a>!${bar(done, 'subtasks')}</li>
`)}</ul>`}
!${morePages(listing, '/projects/')}`
  })
}

const summary = ({ projects, subtasks: { done, total }, largest }: Overview): Html => html`<p class="summary">${
  projects === 1 ? '1 project' : `${number(projects)} projects`}, ${number(done)} of ${number(total)} subtasks done</p>
!${largest.length === 0 ? '' : street(largest)}`

export interface TaskRow { readonly id: string, readonly name: string, readonly isComplete: boolean }

export interface ProjectWithTasks {
  readonly project: Omit<Thing, 'kind'>
  readonly progress: { readonly tasks: Done, readonly subtasks: Done }
  readonly tasks: Paged<TaskRow>
}

export function projectPage (frame: Frame, { project, progress, tasks }: ProjectWithTasks, filled?: Filled): Html {
  const path = `/projects/${project.id}/`
  const writes = mayWrite(frame)
  return layout(frame, {
    title: project.name,
    part: 'projects',
    main: html`!${above(['/projects/', 'Projects'])}
<h1>${project.name}</h1>
!${project.details ? html`<p class="details">${project.details}</p>` : ''}
<p class="summary">${number(progress.tasks.done)} of ${number(progress.tasks.total)} tasks done, ${number(progress.subtasks.done)} of ${
  number(progress.subtasks.total)} subtasks. <a href="/subtasks/?projectId=${project.id}">Show the subtasks</a></p>
!${writes ? html`<div class="actions">!${changeLinks({ ...project, kind: 'project' })}</div>` : ''}
<h2>Tasks</h2>
!${writes ? addForm(`${path}tasks`, 'New task', filled) : ''}
!${tasks.total === 0
  ? '<p class="empty">This project has no tasks yet.</p>'
  : html`<ul class="things tickable">
!${tasks.rows.map(task => html`<li>!${tick({ ...task, kind: 'task' }, writes)}<a class="name" href="/tasks/${task.id}/">${task.name}</a></li>
`)}</ul>`}
!${morePages(tasks, path)}!${writes ? tickForm(pagePath(path)(tasks.page)) : ''}`
  })
}
