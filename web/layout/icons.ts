/**
 * The icons of the pages, drawn inside the HTML so that they take the colour of the text around them. Each
 * stands beside a word that says the same, so all are hidden from screen readers.
 */
const stroke = (paths: string): string =>
  `<g fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">${paths}</g>`;

const drawings: Record<string, string> = {
  // the rail
  mark: stroke(
    '<path d="M8 1.5v6.2"/><path d="M8 3.6c1.6 0 2.7-.7 3.2-1.9"/><path d="M8 5.6c-1.6 0-2.7-.7-3.2-1.9"/><path d="M8 7.7c0 2.7-1 4.700-4 6.800"/><path d="M8 7.700c0 2.700 1 4.700 4 6.800"/><path d="M8 7.700c0 3.400-2.800 3.600-6 3.800"/><path d="M8 7.700c0 3.400 2.800 3.600 6 3.800"/><path d="M8 7.700v6.800"/>',
  ),
  incidents: stroke('<path d="M8 2 1.8 13.200h12.400z"/><path d="M8 6.500v3"/><path d="M8 11.300v.01"/>'),
  approvals: stroke(
    '<path d="M8 1.800 13.500 3.700v4.100c0 3.100-2.200 5.300-5.500 6.400-3.300-1.100-5.500-3.300-5.500-6.400V3.700z"/><path d="m5.600 8 1.700 1.700 3.100-3.300"/>',
  ),
  'on-call': stroke(
    '<rect x="2.200" y="3" width="11.600" height="10.800" rx="1.500"/><path d="M2.200 6.300h11.600"/><path d="M5.300 1.600v2.600"/><path d="M10.700 1.600v2.600"/><path d="M5 9.300h3.500"/><path d="M8.500 11.500H11"/>',
  ),
  notifications: stroke(
    '<path d="M4 11V7a4 4 0 0 1 8 0v4l1.200 1.200H2.800z"/><path d="M6.800 14.200h2.400"/>',
  ),
  runbooks: stroke(
    '<path d="M3 2.500h8.500a1.500 1.500 0 0 1 1.500 1.500v9.500H4.500A1.500 1.500 0 0 1 3 12z"/><path d="M3 12a1.500 1.500 0 0 1 1.500-1.500H13"/><path d="M6 5.500h4"/>',
  ),
  executions: stroke('<path d="M4.5 2.8v10.400L13 8z"/>'),
  automation: stroke('<path d="M8 1.800v5.400"/><path d="M4.600 3.900a5.300 5.300 0 1 0 6.800 0"/>'),
  changes: stroke('<circle cx="8" cy="8" r="2.500"/><path d="M1.800 8h3.700"/><path d="M10.500 8h3.700"/>'),
  reports: stroke(
    '<path d="M2.500 13.500h11"/><path d="M4.500 11V8"/><path d="M8 11V3.500"/><path d="M11.500 11V6"/>',
  ),
  slos: stroke('<circle cx="8" cy="8" r="6.200"/><circle cx="8" cy="8" r="2.500"/>'),
  services: stroke(
    '<circle cx="3.500" cy="8" r="2"/><circle cx="12.500" cy="3.500" r="2"/><circle cx="12.500" cy="12.500" r="2"/><path d="m5.300 7.100 5.400-2.700"/><path d="m5.300 8.900 5.400 2.700"/>',
  ),
  mailbox: stroke(
    '<rect x="2" y="3.500" width="12" height="9" rx="1.500"/><path d="m2.500 4.500 5.500 4.200 5.500-4.200"/>',
  ),
  settings: stroke(
    '<path d="M2.500 4.500h6"/><path d="M11.500 4.500h2"/><circle cx="10" cy="4.500" r="1.500"/><path d="M2.500 11.500h2"/><path d="M7.500 11.500h6"/><circle cx="6" cy="11.500" r="1.500"/>',
  ),
  health: stroke('<path d="M1.800 8.500h3l1.700-4.700 3 8.400 1.700-3.700h3"/>'),
  // severity: a shape of its own for each, so that colour is never the only sign
  critical:
    '<path fill="currentColor" d="M5.300 1.500h5.400l3.800 3.800v5.400l-3.800 3.800H5.300l-3.800-3.800V5.300z"/><path d="M8 4.600v4.200M8 11.200v.1" stroke="var(--surface)" stroke-width="1.700" stroke-linecap="round"/>',
  high: '<path fill="currentColor" d="M8 1.600 15 14H1z"/><path d="M8 6v3.600M8 11.800v.1" stroke="var(--surface)" stroke-width="1.600" stroke-linecap="round"/>',
  warning:
    '<path fill="currentColor" d="M8 1.200 14.800 8 8 14.800 1.200 8z"/><path d="M8 5v3.600M8 10.800v.1" stroke="var(--surface)" stroke-width="1.600" stroke-linecap="round"/>',
  low: '<path fill="currentColor" d="M3.200 4.500h9.600L8 12.800z"/>',
  info: '<circle cx="8" cy="8" r="5.200" fill="none" stroke="currentColor" stroke-width="1.700"/>',
  // states
  open: stroke(
    '<circle cx="8" cy="8" r="5.500"/><circle cx="8" cy="8" r="1.600" fill="currentColor" stroke="none"/>',
  ),
  waiting: stroke('<circle cx="8" cy="8" r="5.500"/><path d="M8 5v3.200l2 1.300"/>'),
  running: stroke('<path d="M13.500 8a5.500 5.500 0 1 1-2.600-4.700"/><path d="M11.300 1.200v2.500H8.800"/>'),
  done: stroke('<circle cx="8" cy="8" r="5.800"/><path d="m5.500 8.200 1.800 1.800 3.300-3.700"/>'),
  failed: stroke('<circle cx="8" cy="8" r="5.800"/><path d="m6 6 4 4"/><path d="m10 6-4 4"/>'),
  undone: stroke(
    '<path d="M3 6.500h6.500a3.500 3.500 0 0 1 0 7H6"/><path d="M5.800 3.500 2.800 6.500l3 3"/>',
  ),
  stopped: stroke('<circle cx="8" cy="8" r="5.800"/><path d="m4 12 8-8"/>'),
  pending: stroke('<circle cx="8" cy="8" r="5.500" stroke-dasharray="2 2.300"/>'),
  skipped: stroke('<path d="m3 4 5 4-5 4z"/><path d="m8 4 5 4-5 4z"/>'),
  // kinds of services
  service: stroke('<path d="M8 1.800 13.400 4.900v6.200L8 14.200l-5.400-3.100V4.900z"/>'),
  database: stroke(
    '<ellipse cx="8" cy="3.800" rx="5.200" ry="2"/><path d="M2.800 3.800v8.400c0 1.100 2.300 2 5.200 2s5.200-.900 5.200-2V3.800"/><path d="M2.800 8c0 1.100 2.300 2 5.200 2s5.200-.900 5.200-2"/>',
  ),
  cache: stroke('<path d="M9 1.800 3.500 9H8l-1 5.200L12.500 7H8z"/>'),
  queue: stroke('<path d="M2 4.500h12v7H2z"/><path d="M6 4.500v7"/><path d="M10 4.500v7"/>'),
  external: stroke(
    '<circle cx="8" cy="8" r="6"/><path d="M2 8h12"/><path d="M8 2c-4 4-4 8 0 12 4-4 4-8 0-12"/>',
  ),
  infrastructure: stroke(
    '<rect x="2.500" y="2.500" width="11" height="4.500" rx="1"/><rect x="2.500" y="9" width="11" height="4.500" rx="1"/><path d="M5 4.800v.01"/><path d="M5 11.300v.01"/>',
  ),
  // acts
  check: stroke('<path d="m3 8.500 3.300 3.300L13 4.700"/>'),
  person: stroke(
    '<circle cx="8" cy="5.200" r="2.700"/><path d="M2.800 13.800c.6-2.800 2.600-4.200 5.200-4.200s4.600 1.400 5.200 4.200"/>',
  ),
  note: stroke('<path d="M2.500 3.500h11v7.500H8l-3 2.700V11H2.500z"/>'),
  alert: stroke('<path d="M4 11V7a4 4 0 0 1 8 0v4l1.200 1.200H2.800z"/><path d="M6.800 14.200h2.400"/>'),
  mail: stroke(
    '<rect x="2" y="3.500" width="12" height="9" rx="1.500"/><path d="m2.500 4.500 5.500 4.200 5.500-4.200"/>',
  ),
  logs: stroke('<path d="M3 4h10"/><path d="M3 8h7"/><path d="M3 12h9"/>'),
  clock: stroke('<circle cx="8" cy="8" r="5.800"/><path d="M8 4.800V8l2.200 1.500"/>'),
  play: stroke('<path d="M4.500 2.800v10.400L13 8z"/>'),
  search: stroke('<circle cx="7" cy="7" r="4.200"/><path d="m10.200 10.200 3.300 3.300"/>'),
  link: stroke(
    '<path d="M9.500 2.500h4v4"/><path d="M13.300 2.700 7.500 8.500"/><path d="M11.500 9.500v3a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1h3"/>',
  ),
  menu: stroke('<path d="M2.500 4.500h11"/><path d="M2.500 8h11"/><path d="M2.500 11.500h11"/>'),
  more: '<g fill="currentColor"><circle cx="3.500" cy="8" r="1.300"/><circle cx="8" cy="8" r="1.300"/><circle cx="12.500" cy="8" r="1.300"/></g>',
};

/** SVG of an icon; throws RangeError on a name that is none, so that a misspelt one never ships. */
export function icon(name: string): string {
  const drawing = drawings[name];
  if (drawing === undefined) throw new RangeError(`no icon '${name}'`);
  return `<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">${drawing}</svg>`;
}
