// What browsers load besides the pages, from assets/. An address changes with its content, so that browsers may keep it for ever.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

const read = (file: string) => readFileSync(new URL(import.meta.resolve(`#assets/${file}`)), 'utf8')

function hashed (file: string, type: string) {
  const text = read(file)
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  return { text, type, path: `/assets/${hash}.${file.split('.')[1]}` }
}

export const stylesheet = hashed('style.css', 'text/css; charset=utf-8')
export const script = hashed('enhance.js', 'text/javascript; charset=utf-8')

/** A row of houses. */
export const icon = read('icon.svg')
