import type { Config } from '../config.ts'
import { openDatabase } from '../db/database.ts'
import { CommandError } from '../errors.ts'
import { type TestDataOptions, createTestData } from '../testdata/create.ts'

type Flags = Record<`${'min' | 'max'}${'Users' | 'Projects' | 'Tasks' | 'Subtasks'}`, number> & Omit<TestDataOptions, 'amounts'>

export default async function (config: Config, signal: AbortSignal, flags: Flags): Promise<void> {
  const options = optionsOf(flags)
  const database = await openDatabase(config)
  try {
    await createTestData(config, database, options, signal)
  } finally {
    await database.release()
  }
}

function optionsOf (flags: Flags): TestDataOptions {
  const range = (name: 'Users' | 'Projects' | 'Tasks' | 'Subtasks') => {
    const { [`min${name}` as const]: min, [`max${name}` as const]: max } = flags
    if (min > max) throw new CommandError(`--min-${name.toLowerCase()} (${min}) is greater than --max-${name.toLowerCase()} (${max}).`)
    return { min, max }
  }
  if (flags.append && flags.reset) throw new CommandError('--append and --reset contradict each other.')
  return { ...flags, amounts: { users: range('Users'), projects: range('Projects'), tasks: range('Tasks'), subtasks: range('Subtasks') } }
}
