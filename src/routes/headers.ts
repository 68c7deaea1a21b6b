// Headers that keep a browser from doing with a reply what it is not meant for: helmet's, asked for once, since they are the same on every
// reply, and at each request helmet takes longer than the router.
import type { IncomingMessage, ServerResponse } from 'node:http'
import helmet, { type HelmetOptions } from 'helmet'

/**
 * For pages: our own script and styles, nothing from elsewhere, and nothing that stands in a page. Pages of ours are told where a request
 * comes from: without any referrer, browsers that send no Sec-Fetch-Site would send a form with the origin "null".
 */
const pageHeaders = headersOf({
  contentSecurityPolicy: policy({ scriptSrc: 'self', connectSrc: 'self', styleSrc: 'self', imgSrc: 'self', formAction: 'self', baseUri: 'none' }),
  xFrameOptions: { action: 'deny' },
  referrerPolicy: { policy: 'same-origin' }
})

/** For programs: no other site may embed it. What is about pages alone would take a twentieth of the time of a listing (measured). */
const dataHeaders = headersOf({
  contentSecurityPolicy: policy({}),
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  referrerPolicy: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false
})

/** @param path of what is asked for, as the request has it */
export const securityHeaders = (path: string): Record<string, string> => isData(path) ? dataHeaders : pageHeaders

const isData = (path: string) => path.startsWith('/api/') && !path.startsWith('/api/docs')

function policy (allowed: Record<string, 'self' | 'none'>) {
  const directives = { defaultSrc: 'none', frameAncestors: 'none', ...allowed }
  return { useDefaults: false, directives: Object.fromEntries(Object.entries(directives).map(([name, source]) => [name, [`'${source}'`]])) }
}

function headersOf (options: HelmetOptions): Record<string, string> {
  const headers: Record<string, string> = {}
  const recorder = { setHeader (name: string, value: string) { headers[name.toLowerCase()] = value }, removeHeader () {} }
  helmet(options)({} as IncomingMessage, recorder as unknown as ServerResponse, error => { if (error) throw error })
  return headers
}
