// The result, as a table for a terminal, and as a picture of the contenders.
import type { Compared } from './compare.ts'
import { type Figure, median, reached } from './measure.ts'

const shown = (n: number) => n >= 100 ? n.toFixed(0) : n.toFixed(2)

export function table (figures: readonly Figure[]): string {
  const rows = figures.map(figure => [
    !figure.wanted ? '' : reached(figure) ? 'yes' : 'NO',
    figure.what,
    `${shown(figure.value)} ${figure.unit}`.trim(),
    !figure.wanted ? '' : 'atLeast' in figure.wanted ? `at least ${figure.wanted.atLeast}` : `at most ${figure.wanted.atMost}`,
    figure.from
  ])
  return columns([['', 'what', 'is', 'wanted', 'from'], ...rows])
}

export function contendersTable (compared: readonly Compared[]): string {
  const rows = compared.map(({ name, rates, p50, p99, cpu, megabytes, what }) => [
    name, median(rates).toFixed(0), `${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)}`, p50.toFixed(1), p99.toFixed(1),
    cpu.node?.toFixed(2) ?? '', cpu.postgres?.toFixed(2) ?? '', megabytes?.toFixed(0) ?? '', what
  ])
  return columns([['', 'requests/s', 'spread', 'p50 ms', 'p99 ms', 'Node ms', 'PostgreSQL ms', 'MB', ''], ...rows])
}

function columns (rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map(row => row[i]!.length)))
  return rows.map(row => row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ').trimEnd()).join('\n')
}

/** Bars, one for each contender but `hello`, whose bar would dwarf them; it is said in words. Colours hold on light and dark. */
export function chart (compared: readonly Compared[], note: string): string {
  const hello = compared.find(({ name }) => name === 'hello')
  const bars = compared.filter(each => each !== hello).map(each => ({ ...each, rate: median(each.rates) })).toSorted((a, b) => b.rate - a.rate)
  const most = bars[0]!.rate
  const [left, width, height] = [150, 430, 34]
  const lines = bars.map(({ name, rate, rates }, i) => {
    const y = 64 + i * height
    const at = (value: number) => left + value / most * width
    const colour = name.startsWith('rowhouse') ? '#2f7d5b' : '#8a94a3'
    return `<text x="${left - 10}" y="${y + 15}" text-anchor="end">${name}</text>
<rect x="${left}" y="${y}" width="${(at(rate) - left).toFixed(1)}" height="20" rx="3" fill="${colour}"/>
<line x1="${at(Math.min(...rates)).toFixed(1)}" x2="${at(Math.max(...rates)).toFixed(1)}" y1="${y + 10}" y2="${y + 10}" stroke="#c9772b" stroke-width="2"/>
<text x="${(Math.max(at(rate), at(Math.max(...rates))) + 8).toFixed(1)}" y="${y + 15}">${Math.round(rate).toLocaleString('en')}</text>`
  })
  const total = 64 + bars.length * height + 34
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 ${total}" font-family="system-ui, sans-serif" font-size="13" role="img"
  aria-label="Requests a second: ${bars.map(({ name, rate }) => `${name} ${Math.round(rate)}`).join(', ')}">
<style>text { fill: #24292f } .soft { fill: #667 } @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .soft { fill: #99a } }</style>
<text x="16" y="26" font-size="16" font-weight="600">The subtasks listing, requests a second</text>
<text x="16" y="46" class="soft">${note}</text>
${lines.join('\n')}
<text x="16" y="${total - 12}" class="soft">Medians; the line is the spread. The same bytes from memory: ${Math.round(median(hello?.rates ?? [0])).toLocaleString('en')}.</text>
</svg>
`
}
