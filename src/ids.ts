// The one id scheme: UUID v7. Ordered by time, so they insert well; random otherwise, so they tell nothing about volumes.
export { v7 as uuidv7 } from 'uuid'
