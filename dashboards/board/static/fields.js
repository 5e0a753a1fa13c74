// What Grafana calls field configuration, as far as our boards use it: names, units, mappings, thresholds and links of columns.

export const NL = document.documentElement.lang === 'nl';
export const say = (nl, en) => (NL ? nl : en);
const LOCALE = NL ? 'nl-NL' : 'en-GB';

let zone;
let local; // epoch ms as the local time that plotly draws: it knows no zones
export const wall = ms => local.format(ms).replace(' ', 'T');
export function setZone(name) {
  zone = name;
  local = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
}

const formatted = (options, ms) => new Intl.DateTimeFormat(LOCALE, { timeZone: zone, ...options }).format(ms);
export const moment = ms => formatted({ day: '2-digit', month: '2-digit', year: 'numeric', hour: '2-digit', minute: '2-digit' }, ms);
export const clock = ms => formatted({ hour: '2-digit', minute: '2-digit', second: '2-digit' }, ms);

const number = (value, decimals) =>
  value.toLocaleString(LOCALE, { minimumFractionDigits: decimals ?? 0, maximumFractionDigits: decimals ?? 2 });
function lasting(seconds, decimals) {
  const steps = [[86400, 'd'], [3600, say('u', 'h')], [60, 'min'], [1, 's']];
  const [size, name] = steps.find(([least]) => Math.abs(seconds) >= least * 1.5) ?? steps[3];
  return `${number(seconds / size, decimals ?? (size > 1 ? 1 : 0))} ${name}`;
}
const UNITS = {
  short: number,
  percentunit: (value, decimals) => number(value * 100, decimals ?? 0) + (NL ? ' %' : '%'),
  s: lasting,
};

const pattern = text => new RegExp(text.replace(/^\/|\/$/g, ''));

// The configuration of one column: the panel's defaults with the overrides that name it.
export function configOf(panel, column) {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  const config = { ...defaults, custom: { ...defaults.custom } };
  for (const { matcher, properties } of overrides) {
    if (matcher.id === 'byRegexp' ? !pattern(matcher.options).test(column.name) : matcher.options !== column.name) continue;
    for (const { id, value } of properties) {
      if (id.startsWith('custom.')) config.custom[id.slice(7)] = value;
      else config[id] = value;
    }
  }
  return { ...config, name: config.displayName || column.name };
}

// A value as people read it.
export function textOf(config, value, kind) {
  if (value === null || value === undefined) return config.noValue ?? '–';
  if (kind === 'time') return moment(value);
  if (kind === 'boolean') return value ? say('ja', 'yes') : say('nee', 'no');
  return typeof value === 'number' ? (UNITS[config.unit] ?? number)(value, config.decimals) : String(value);
}

// The colour of a value by the form of its text, as it is fixed, or by its threshold; '' for that of text.
export function colourOf(config, value) {
  const state = (config.mappings ?? []).find(one => pattern(one.options.pattern).test(String(value)));
  const steps = typeof value === 'number' ? config.thresholds?.steps ?? [] : [];
  const colour = state?.options.result.color ?? config.color?.fixedColor
    ?? steps.findLast(step => (step.value ?? -Infinity) <= value)?.color ?? 'text';
  return colour === 'text' ? '' : colour;
}

// Black or white, whichever is read better on a colour (WCAG 2.2, relative luminance).
export function inkOn(colour) {
  const [r, g, b] = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map(one => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? '#000' : '#fff';
}

// An address with variables and the cells of its row filled in; null for one that leads neither into a board nor to a web page.
export function addressOf(url, variables, row = {}) {
  const filled = url.replace(/\$\{(__data\.fields\.)?(\w+):(raw|percentencode)\}/g, (_, ofRow, name, form) => {
    const value = String((ofRow ? row : variables)[name] ?? '');
    return form === 'raw' ? value : encodeURIComponent(value);
  });
  return /^(\/(?!\/)|https?:\/\/)/.test(filled) ? filled : null;
}
