import type { Directory } from '../tenancy/directory.ts'

export async function poolerOf (_directory: Pick<Directory, 'ask'>) { return { pooler: false, namedStatements: true } }
