import { createHash } from 'node:crypto'

const css = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#fbfaf7, #16181c);
  --raised: light-dark(#ffffff, #1d2025);
  --ink: light-dark(#20242b, #e6e6e3);
  --soft: light-dark(#5b626d, #a2a8b2);
  --line: light-dark(#e2dfd7, #32363d);
  --edge: light-dark(#858a92, #767c86);
  --brick: light-dark(#9c3d22, #f0a184);
  --moss: light-dark(#2c6a3f, #8ccf9f);
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
a { color: var(--brick); text-underline-offset: .2em; }
:focus-visible { outline: 3px solid var(--brick); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: .5rem; background: var(--raised); padding: .5rem 1rem; }
header {
  display: flex; flex-wrap: wrap; gap: .25rem 2rem; align-items: baseline;
  padding: 1rem clamp(1rem, 4vw, 3rem); border-bottom: 1px solid var(--line);
}
header .home { font-weight: 650; font-size: 1.05rem; color: var(--ink); text-decoration: none; margin-right: auto; }
header nav { display: flex; gap: 1.25rem; }
form label { display: block; margin: 1rem 0 .25rem; font-weight: 550; }
input, button { font: inherit; color: inherit; }
input { width: 100%; padding: .5rem .7rem; background: var(--paper); border: 1px solid var(--edge); border-radius: .35rem; }
input[aria-invalid] { border-color: var(--brick); }
button { padding: .5rem 1.1rem; background: var(--brick); color: var(--paper); border: 1px solid var(--brick); border-radius: .35rem; font-weight: 600; cursor: pointer; }
button.plain { padding: 0; background: none; border: 0; color: var(--brick); font-weight: inherit; text-decoration: underline; text-underline-offset: .2em; }
form .buttons { margin: 1.5rem 0 .25rem; }
.error { color: var(--brick); margin: 0 0 1rem; padding-left: .75rem; border-left: 3px solid var(--brick); }
main { padding: 1.5rem clamp(1rem, 4vw, 3rem) 4rem; max-width: 96rem; margin: 0 auto; }
main.narrow, .prose { max-width: 40rem; }
.prose.card { max-width: 26rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .25rem 0 .25rem; letter-spacing: -.01em; }
.summary { color: var(--soft); margin: 0 0 1.25rem; }
.empty, .prose { background: var(--raised); border: 1px solid var(--line); border-radius: .5rem; padding: 1.25rem 1.5rem; }
.prose { margin: 2rem auto; }
.prose code { font-size: .95em; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; background: var(--raised); border: 1px solid var(--line); font-size: .94rem; }
th, td { text-align: left; vertical-align: top; padding: .6rem .8rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { font-size: .8rem; font-weight: 600; color: var(--soft); white-space: nowrap; }
tbody th { font-weight: 550; min-width: 14rem; }
tbody tr:last-child > * { border-bottom: 0; }
td.soft { color: var(--soft); }
td code { white-space: nowrap; color: var(--soft); }
.done { color: var(--moss); white-space: nowrap; }
.open { color: var(--soft); white-space: nowrap; }
.pages { margin-top: 1.25rem; display: flex; flex-wrap: wrap; gap: .75rem 1.5rem; align-items: center; justify-content: space-between; }
.pages p { margin: 0; color: var(--soft); }
.pages ul { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem; margin: 0; padding: 0; }
.pages li > * { display: inline-block; min-width: 2.4rem; padding: .3rem .55rem; text-align: center; border-radius: .35rem; font-variant-numeric: tabular-nums; }
.pages a { text-decoration: none; border: 1px solid var(--line); background: var(--raised); }
.pages a:hover { border-color: var(--brick); }
.pages [aria-current] { background: var(--brick); color: var(--paper); font-weight: 650; }
@media (max-width: 48rem) {
  table, tbody { display: block; border: 0; background: none; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { display: flex; flex-direction: column; background: var(--raised); border: 1px solid var(--line); border-radius: .5rem; margin-bottom: .75rem; padding: .75rem 1rem; }
  tbody th, tbody td { border: 0; padding: .1rem 0; min-width: 0; }
  tbody th { order: -1; padding-bottom: .35rem; font-size: 1rem; }
  tbody td { display: grid; grid-template-columns: 6rem 1fr; align-items: baseline; }
  tbody td::before { content: attr(data-label); color: var(--soft); font-size: .8rem; }
}
@media (prefers-reduced-motion: no-preference) { a { transition: border-color .15s; } }
@media print { header nav, header form, .pages, .skip { display: none; } }
`

/** The one stylesheet. Its address changes with its content, so that browsers may keep it for ever. */
export const stylesheet = { css, path: `/assets/${createHash('sha256').update(css).digest('hex').slice(0, 12)}.css` }

/** A row of houses. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<path fill="#9c3d22" d="M1 14 6 8l5 6v14H1z"/><path fill="#c0623f" d="M11 14l5-6 5 6v14H11z"/><path fill="#7c2f19" d="M21 14l5-6 5 6v14H21z"/>
<path fill="#fbfaf7" d="M4 21h4v7H4zM14 21h4v7h-4zM24 21h4v7h-4z"/></svg>`
