// What a page says of what has just been done. An address names one of these; nobody can put other words there.

export const notices = {
  added: 'Added.',
  saved: 'Saved.',
  deleted: 'Deleted.',
  withdrawn: 'The invitation is withdrawn.',
  'password-changed': 'Your password is changed. You are signed out everywhere else.',
  'session-ended': 'That session is ended.',
  'others-ended': 'You are signed out everywhere else.',
  'token-revoked': 'The token is revoked.'
} as const

export type Notice = keyof typeof notices
