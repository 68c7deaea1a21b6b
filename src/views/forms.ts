// Forms: what they are made of, and how they say what is wrong.
import { html } from 'ghtml'
import type { Html } from './layout.ts'

/** What was typed into a form, and what is wrong with it: a sentence at each field. */
export interface Filled {
  readonly values?: Readonly<Record<string, string>>
  readonly errors?: Readonly<Record<string, string>>
}

export interface Field {
  readonly name: string
  readonly label: string
  readonly value?: string
  /** What is wrong with it. */
  readonly error?: string | undefined
  readonly hint?: string
  readonly type?: 'text' | 'password' | 'email' | 'search' | 'textarea'
  readonly autocomplete?: string
  readonly required?: boolean
  readonly wide?: boolean
  /** Where a page has fields of the same name. */
  readonly form?: string
}

export function field ({ name, label, value = '', error, hint, type = 'text', autocomplete = 'off', required = false, wide, form = '' }: Field): Html {
  const id = `${form}${form && '-'}${name}`
  const about = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`].filter(Boolean).join(' ')
  const attributes = html`id="${id}" name="${name}" autocomplete="${autocomplete}"!${required ? ' required' : ''}!${
    about ? html` aria-describedby="${about}"` : ''}!${error === undefined ? '' : ' aria-invalid="true"'}`
  return html`<div class="field!${wide ? ' wide' : ''}"><label for="${id}">${label}</label>
!${type === 'textarea'
  ? html`<textarea !${attributes}>
${value}</textarea>`
  : html`<input type="${type}" value="${value}" !${attributes}>`}
!${hint === undefined ? '' : html`<small id="${id}-hint">${hint}</small>`}!${error === undefined ? '' : html`<span class="error" id="${id}-error">${error}</span>`}</div>`
}

export interface Choice {
  readonly name: string
  readonly label: string
  readonly value: string
  /** Values and their labels. */
  readonly options: readonly (readonly [value: string, label: string])[]
  readonly error?: string | undefined
  /** Whether the page is opened to choose here. */
  readonly first?: boolean
}

export const choice = ({ name, label, value, options, error, first }: Choice): Html => html`<div class="field"><label for="${name}">${label}</label>
<select id="${name}" name="${name}"!${first ? ' autofocus' : ''}!${error === undefined ? '' : html` aria-invalid="true" aria-describedby="${name}-error"`}>
!${options.map(([each, text]) => html`<option value="${each}"!${each === value ? ' selected' : ''}>${text}</option>`)}</select>
!${error === undefined ? '' : html`<span class="error" id="${name}-error">${error}</span>`}</div>`

export const hidden = (fields: Readonly<Record<string, string | number>>): Html =>
  html`!${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}`

export interface Button {
  readonly label: string
  readonly look?: 'first' | 'quiet'
  readonly fields?: Readonly<Record<string, string | number>>
  /** What tells it from others with the same label, for those who do not see where it is. */
  readonly of?: string
}

/** A form that is only a button. */
export const postForm = (action: string, { label, look, fields = {}, of }: Button): Html =>
  html`<form method="post" action="${action}">!${hidden(fields)}<button!${look ? html` class="${look}"` : ''}>${label}!${of === undefined ? '' : html`<span class="unseen"> ${of}</span>`}</button></form>`

/** What a form says above its fields when it is about no single one. */
export const wrong = (message?: string): Html => message === undefined ? '' : html`<p class="wrong" role="alert">${message}</p>`
