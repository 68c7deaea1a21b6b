// What projects, tasks and subtasks have in common: they are ticked, renamed, and deleted after a question.
import { html } from 'ghtml'
import { may } from '../auth/roles.ts'
import { type Filled, field, hidden, wrong } from './forms.ts'
import { type Frame, type Html, layout } from './layout.ts'

export type Kind = 'project' | 'task' | 'subtask'

/** One of them, to be looked at and changed. */
export interface Thing {
  readonly kind: Kind
  readonly id: string
  readonly name: string
  readonly details: string
  readonly version: number
}

export const pathOf = ({ kind, id }: Pick<Thing, 'kind' | 'id'>): string => `/${kind}s/${id}/`

export const mayWrite = ({ user }: Frame): boolean => user !== undefined && may(user.role, 'write')

/** Whether it is complete; for those who may, a button that changes it. That is sent by the page's tickForm(). */
export function tick ({ kind, id, name, isComplete }: Pick<Thing, 'kind' | 'id' | 'name'> & { isComplete: boolean }, writes: boolean): Html {
  const state = isComplete ? '<span class="done">&check; yes</span>' : '<span class="open">&cir; no</span>'
  if (!writes) return state
  return html`<button class="tick" id="tick-${id}" form="ticks" formaction="/${kind}s/${id}/completion" name="complete" value="!${isComplete ? 'no' : 'yes'}">!${
    state}<span class="unseen">: !${isComplete ? 'reopen' : 'complete'} ${name}</span></button>`
}

/** What all ticks of a page are sent by. @param back where the page is */
export const tickForm = (back: string): Html => html`<form id="ticks" method="post" data-stay>!${hidden({ back })}</form>`

/** The way up from it, to what it belongs to. */
export const above = (...links: readonly (readonly [path: string, name: string])[]): Html =>
  html`<nav class="above" aria-label="Breadcrumb">!${links.map(([path, name]) => html`<a href="${path}">${name}</a> / `)}</nav>`

export const changeLinks = (thing: Pick<Thing, 'kind' | 'id' | 'name'>): Html => html`<a href="${pathOf(thing)}edit">Edit<span class="unseen"> ${thing.name}</span></a>
<a href="${pathOf(thing)}delete" data-dialog>Delete<span class="unseen"> ${thing.name}</span></a>`

export const addForm = (action: string, label: string, { values = {}, errors = {} }: Filled = {}): Html =>
  html`<form class="row add" method="post" action="${action}" data-stay>
!${field({ name: 'name', label, value: values.name ?? '', error: errors.name, required: true, wide: true })}<button>Add</button>
</form>`

export interface Change extends Filled {
  readonly thing: Thing
  /** Why it has not been changed. */
  readonly refused?: string
}

export function editPage (frame: Frame, { thing, values = {}, errors = {}, refused }: Change): Html {
  const { kind, name, details, version } = thing
  return layout(frame, {
    title: `Edit ${name}`,
    part: partOf(kind),
    main: html`<h1>Edit ${kind}</h1>
<p class="summary">${name}</p>
!${wrong(refused)}
<form method="post" action="${pathOf(thing)}edit">!${hidden({ version })}
!${field({ name: 'name', label: 'Name', value: values.name ?? name, error: errors.name, required: true })}
!${field({ name: 'details', label: 'Details', value: values.details ?? details, error: errors.details, type: 'textarea' })}
<p class="actions"><button class="first">Save</button> <a href="${pathOf(thing)}">Cancel</a></p>
</form>`
  })
}

const losses: Record<Kind, string> = {
  project: 'Its tasks and their subtasks are deleted with it. This cannot be undone.',
  task: 'Its subtasks are deleted with it. This cannot be undone.',
  subtask: 'This cannot be undone.'
}

export function deletePage (frame: Frame, { thing, refused }: Change): Html {
  const { kind, name, version } = thing
  return layout(frame, {
    title: `Delete ${name}?`,
    part: partOf(kind),
    main: html`<h1>Delete this ${kind}?</h1>
!${wrong(refused)}
<p class="details"><strong>${name}</strong></p>
<p>${losses[kind]}</p>
<form method="post" action="${pathOf(thing)}delete">!${hidden({ version })}
<p class="actions"><button class="first">Delete</button> <a href="${pathOf(thing)}" data-close>Cancel</a></p>
</form>`
  })
}

export const partOf = (kind: Kind) => kind === 'subtask' ? 'subtasks' : 'projects'
