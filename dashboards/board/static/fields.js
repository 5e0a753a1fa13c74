// What Grafana calls field configuration: names, units, mappings, thresholds and links of the columns of an answer.

export const NL = document.documentElement.lang === 'nl';
export const say = (nl, en) => (NL ? nl : en);
const LOCALE = NL ? 'nl-NL' : 'en-GB';
let zone = 'Europe/Amsterdam';
export const setZone = name => { zone = !name || name === 'browser' ? Intl.DateTimeFormat().resolvedOptions().timeZone : name; };

const parts = (options, ms) => new Intl.DateTimeFormat(LOCALE, { timeZone: zone, ...options }).format(ms);
export const moment = ms => parts({ day: '2-digit', month: '2-digit', year: 'numeric', hour: '2-digit', minute: '2-digit' }, ms);
export const clock = ms => parts({ hour: '2-digit', minute: '2-digit', second: '2-digit' }, ms);
const local = new Map();
// Epoch ms as the local time that plotly draws: it knows no zones.
export function wall(ms) {
  if (!local.has(zone)) local.set(zone, new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }));
  return local.get(zone).format(ms);
}

const number = (value, decimals, least = 0) =>
  new Intl.NumberFormat(LOCALE, { minimumFractionDigits: decimals ?? least, maximumFractionDigits: decimals ?? 2 }).format(value);
function lasting(seconds, decimals) {
  const steps = [[86400, 'd'], [3600, say('u', 'h')], [60, 'min'], [1, 's']];
  const [size, name] = steps.find(([size]) => Math.abs(seconds) >= size * 1.5) ?? steps[3];
  return `${number(seconds / size, decimals ?? (size > 1 ? 1 : 0))} ${name}`;
}
const UNITS = {
  percentunit: (value, decimals) => `${number(value * 100, decimals ?? 0)}${NL ? ' %' : '%'}`,
  percent: (value, decimals) => `${number(value, decimals ?? 0)}${NL ? ' %' : '%'}`,
  s: lasting, ms: (value, decimals) => lasting(value / 1000, decimals), m: (value, decimals) => lasting(value * 60, decimals),
  h: (value, decimals) => lasting(value * 3600, decimals), d: (value, decimals) => lasting(value * 86400, decimals),
  bytes: value => `${number(value / 2 ** 20, 1)} MiB`,
  dateTimeAsIso: moment, dateTimeAsLocal: moment, dateTimeFromNow: value => `${lasting((Date.now() - value) / 1000)} ${say('geleden', 'ago')}`,
};

// The configuration of one column: the panel's defaults with the overrides that name it.
export function configOf(panel, column, labels = {}) {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  const config = { ...defaults, custom: { ...defaults.custom } };
  const fits = { byName: one => one === column.name, byRegexp: one => new RegExp(one.replace(/^\/|\/$/g, '')).test(column.name), byType: one => one === column.kind };
  for (const { matcher, properties } of overrides.filter(one => fits[one.matcher.id]?.(one.matcher.options)))
    for (const { id, value } of properties) {
      if (id.startsWith('custom.')) config.custom[id.slice(7)] = value;
      else config[id] = value;
    }
  const named = (config.displayName ?? '').replace(/\$\{__field\.labels\.(\w+)\}/g, (_, label) => labels[label] ?? '').replace(/\$\{__field\.name\}/g, column.name);
  return { ...config, name: named || column.name };
}

function mapped(config, value) {
  for (const { type, options } of config.mappings ?? []) {
    let result;
    if (type === 'value') result = Object.entries(options).find(([key]) => key === String(value))?.[1];
    else if (type === 'regex') result = typeof value === 'string' && new RegExp(options.pattern).test(value) ? options.result : undefined;
    else if (type === 'range') result = value !== null && (options.from ?? -Infinity) <= value && value <= (options.to ?? Infinity) ? options.result : undefined;
    else if (type === 'special') result = { null: value === null, 'null+nan': value === null, empty: value === '', true: value === true, false: value === false }[options.match] ? options.result : undefined;
    if (result) return type === 'regex' && result.text ? { ...result, text: value.replace(new RegExp(options.pattern), result.text) } : result;
  }
  return undefined;
}

// A value as people read it.
export function textOf(config, value, kind) {
  const found = mapped(config, value);
  if (found?.text) return found.text;
  if (value === null || value === undefined) return config.noValue ?? '–';
  if (config.unit && UNITS[config.unit] && typeof value === 'number') return UNITS[config.unit](value, config.decimals);
  if (kind === 'time') return moment(value);
  if (kind === 'boolean') return value ? say('ja', 'yes') : say('nee', 'no');
  if (typeof value !== 'number') return String(value);
  const unit = config.unit && !['short', 'none', 'string'].includes(config.unit) ? ` ${config.unit.replace(/^(suffix|prefix):/, '')}` : '';
  return number(value, config.decimals) + unit;
}

const NAMED = { text: '', transparent: '', green: '#009E73', red: '#D55E00', orange: '#E69F00', yellow: '#F0E442', blue: '#0072B2' };
const plain = colour => NAMED[colour] ?? colour ?? '';

// The colour of a value by its mapping or threshold; '' for none.
export function colourOf(config, value) {
  const found = mapped(config, value);
  if (found?.color) return plain(found.color);
  if (config.color?.mode === 'fixed') return plain(config.color.fixedColor);
  if (typeof value !== 'number') return '';
  const at = config.thresholds?.mode === 'percentage' ? 100 * (value - (config.min ?? 0)) / ((config.max ?? 100) - (config.min ?? 0)) : value;
  return plain((config.thresholds?.steps ?? []).filter(step => step.value === null || step.value === undefined || step.value <= at).at(-1)?.color);
}

// Black or white, whichever is read better on a colour (WCAG 2.2, relative luminance).
export function inkOn(colour) {
  const [r, g, b] = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16) / 255).map(one => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? '#000' : '#fff';
}

// An address with Grafana's variables filled in; null for one that leads neither into a board nor to a web page.
export function addressOf(url, page, row = {}, value = null) {
  const known = name => {
    if (name === '__url_time_range') return [null, `from=${page.from}&to=${page.to}`];
    if (name === '__all_variables') return [null, Object.entries(page.variables).map(([one, chosen]) => `var-${one}=${encodeURIComponent(chosen)}`).join('&')];
    if (name.startsWith('__data.fields.')) return [row[name.slice(14)] ?? ''];
    if (name.startsWith('__data.fields[')) return [row[name.slice(15, -2)] ?? ''];
    if (name.startsWith('__value.')) return [value ?? ''];
    if (name in page.variables) return [page.variables[name]];
    return undefined;
  };
  const whole = /^\$\{[^}]+\}$/.test(url);
  const filled = url.replace(/\$\{([^}:]+)(?::(\w+))?\}|\$(\w+)/g, (text, braced, form, bare) => {
    const found = known(braced ?? bare);
    if (!found) return text;
    const [given, ready] = found;
    if (ready !== undefined) return ready;
    if (form === 'queryparam') return `var-${braced}=${encodeURIComponent(given)}`;
    return whole || form === 'raw' ? String(given) : encodeURIComponent(given);
  });
  return /^(\/(?!\/)|https?:\/\/)/.test(filled) ? filled : null;
}
