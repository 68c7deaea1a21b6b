import { html } from 'ghtml'
import type { Filled } from './forms.ts'
import { type Frame, type Html, layout } from './layout.ts'
import { type Paged, morePages, pagePath } from './pager.ts'
import { type Thing, above, addForm, changeLinks, mayWrite, tick, tickForm } from './work.ts'

export interface TaskWithSubtasks {
  readonly project: { readonly id: string, readonly name: string }
  readonly task: Omit<Thing, 'kind'> & { readonly isComplete: boolean }
  readonly subtasks: Paged<{ readonly id: string, readonly name: string, readonly isComplete: boolean }>
}

export function taskPage (frame: Frame, { project, task, subtasks }: TaskWithSubtasks, filled?: Filled): Html {
  const path = `/tasks/${task.id}/`
  const writes = mayWrite(frame)
  return layout(frame, {
    title: task.name,
    part: 'projects',
    main: html`!${above(['/projects/', 'Projects'], [`/projects/${project.id}/`, project.name])}
<h1>${task.name}</h1>
!${task.details ? html`<p class="details">${task.details}</p>` : ''}
<div class="actions"><span class="label">Complete?</span> !${tick({ ...task, kind: 'task' }, writes)}!${writes ? changeLinks({ ...task, kind: 'task' }) : ''}</div>
<h2>Subtasks</h2>
!${writes ? addForm(`${path}subtasks`, 'New subtask', filled) : ''}
!${subtasks.total === 0
  ? '<p class="empty">This task has no subtasks yet.</p>'
  : html`<ul class="things tickable">
!${subtasks.rows.map(subtask => html`<li>!${tick({ ...subtask, kind: 'subtask' }, writes)}<a class="name" href="/subtasks/${subtask.id}/">${subtask.name}</a>!${
  writes ? html`<span class="links">!${changeLinks({ ...subtask, kind: 'subtask' })}</span>` : ''}</li>
`)}</ul>`}
!${morePages(subtasks, path)}!${writes ? tickForm(pagePath(path)(subtasks.page)) : ''}`
  })
}

export interface SubtaskInTask {
  readonly project: { readonly id: string, readonly name: string }
  readonly task: { readonly id: string, readonly name: string }
  readonly subtask: Omit<Thing, 'kind'> & { readonly isComplete: boolean }
}

export function subtaskPage (frame: Frame, { project, task, subtask }: SubtaskInTask): Html {
  const writes = mayWrite(frame)
  return layout(frame, {
    title: subtask.name,
    part: 'subtasks',
    main: html`!${above(['/projects/', 'Projects'], [`/projects/${project.id}/`, project.name], [`/tasks/${task.id}/`, task.name])}
<h1>${subtask.name}</h1>
!${subtask.details ? html`<p class="details">${subtask.details}</p>` : ''}
<div class="actions"><span class="label">Complete?</span> !${tick({ ...subtask, kind: 'subtask' }, writes)}!${
  writes ? changeLinks({ ...subtask, kind: 'subtask' }) + tickForm(`/subtasks/${subtask.id}/`) : ''}</div>`
  })
}
