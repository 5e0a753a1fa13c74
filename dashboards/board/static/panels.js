// One function a kind of panel: it draws frames (lists of columns) into an element. Charts are plotly's; each has its table beside it.

import { addressOf, colourOf, configOf, inkOn, moment, NL, say, textOf, wall } from './fields.js';

const SERIES = ['#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#B8A800'];
const SCALE = [[0, '#f2f6fb'], [0.5, '#6baed6'], [1, '#08306b']];

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter(child => child !== null));
  return made;
}

const rowAt = (frame, at) => Object.fromEntries(frame.map(column => [column.name, column.values[at]]));
const css = name => getComputedStyle(document.body).getPropertyValue(name).trim();

function linked(text, config, page, row, value) {
  const link = config.links?.[0];
  const address = link && value !== null && value !== '' ? addressOf(link.url, page, row, value) : null;
  if (!address) return document.createTextNode(text);
  return element('a', { href: address, title: link.title ?? '', ...(link.targetBlank ? { target: '_blank', rel: 'noopener' } : {}) }, text);
}

function paint(element, colour) {
  element.style.background = colour;
  element.style.color = colour ? inkOn(colour) : '';
}

// Between what a number lies: what is configured, else the least and most of its column or, as Grafana has it by default, of all columns.
function rangeOf(config, column, frame) {
  const numbers = (config.fieldMinMax ? [column] : frame.filter(one => one.kind === 'number')).flatMap(one => one.values.filter(value => value !== null));
  return [config.min ?? Math.min(...numbers), config.max ?? Math.max(...numbers)];
}

function shade([least, most], value) { // continuous-blues, light to dark
  const at = most > least ? Math.min(Math.max((value - least) / (most - least), 0), 1) : 0;
  return `#${[[242, 8], [246, 48], [251, 107]].map(([from, to]) => Math.round(from + (to - from) * at).toString(16).padStart(2, '0')).join('')}`;
}

export function tableOf(panel, frame, page, caption = '') {
  const shown = frame.map(column => ({ column, config: configOf(panel, column, column.labels) })).filter(({ config }) => !config.custom.hidden);
  const head = element('tr', {}, ...shown.map(({ column, config }) => {
    const cell = element('th', { scope: 'col', className: column.kind }, config.name);
    if (config.custom.width) cell.style.width = `${config.custom.width}px`;
    return cell;
  }));
  const rows = (frame[0]?.values ?? []).map((_, at) => element('tr', {}, ...shown.map(({ column, config }) => {
    const value = column.values[at];
    const cell = element('td', { className: column.kind }, linked(textOf(config, value, column.kind), config, page, rowAt(frame, at), value));
    const style = config.custom.cellOptions?.type;
    if (style === 'color-background') paint(cell, config.color?.mode?.startsWith('continuous') ? (typeof value === 'number' ? shade(rangeOf(config, column, frame), value) : '') : colourOf(config, value));
    if (style === 'gauge' && typeof value === 'number') {
      const [, most] = rangeOf(config, column, frame);
      cell.style.backgroundImage = `linear-gradient(90deg, color-mix(in srgb, ${colourOf(config, value) || SERIES[0]} 35%, transparent) ${most ? 100 * value / most : 0}%, transparent 0)`;
    }
    return cell;
  })));
  return element('table', {}, element('caption', { className: 'unseen' }, caption || panel.title || ''), element('thead', {}, head), element('tbody', {}, ...rows));
}

function table(body, panel, frames, page) {
  const frame = frames[0] ?? [];
  if (!frame[0]?.values.length) body.append(element('p', { className: 'nothing' }, panel.fieldConfig?.defaults?.noValue ?? say('Niets', 'Nothing')));
  else body.append(tableOf(panel, frame, page));
}

// The columns of all frames that a stat or gauge shows, each reduced to one value.
function reduced(panel, frames) {
  const { fields = '', calcs = ['lastNotNull'] } = panel.options?.reduceOptions ?? {};
  const wanted = !fields ? column => column.kind === 'number' : column => new RegExp(fields.replace(/^\/|\/$/g, '')).test(column.name);
  const calculate = { lastNotNull: v => v.findLast(one => one !== null), last: v => v.at(-1), first: v => v[0], firstNotNull: v => v.find(one => one !== null),
    sum: v => v.reduce((sum, one) => sum + (one ?? 0), 0), max: v => Math.max(...v), min: v => Math.min(...v), mean: v => v.reduce((sum, one) => sum + one, 0) / v.length, count: v => v.length };
  return frames.flatMap(frame => frame.filter(column => !(column.kind === 'time' && frame.length > 1) && wanted(column)).map(column => {
    const config = configOf(panel, column, column.labels);
    const value = (calculate[calcs[0]] ?? calculate.lastNotNull)(column.values) ?? null;
    return { column, config, value, row: rowAt(frame, frame[0].values.length - 1), text: textOf(config, value, column.kind) };
  }));
}

function stat(body, panel, frames, page) {
  const { colorMode = 'value', textMode = 'auto' } = panel.options ?? {};
  const found = reduced(panel, frames);
  if (!found.length) body.append(element('p', { className: 'nothing' }, panel.fieldConfig?.defaults?.noValue ?? say('Nog niets', 'Nothing yet')));
  body.append(element('dl', { className: 'stats' }, ...found.map(({ config, value, row, text }) => {
    const colour = colourOf(config, value);
    const tile = element('div', {}, element('dt', { className: found.length === 1 && ['auto', 'value'].includes(textMode) ? 'unseen' : '' }, config.name),
      element('dd', { className: text.length > 12 ? 'long' : text.length > 7 ? 'wide' : '' }, linked(text, config, page, row, value)));
    if (colorMode.startsWith('background')) paint(tile, colour);
    return tile;
  })));
}

function layoutOf(extra = {}) {
  const axis = { gridcolor: css('--line'), zerolinecolor: css('--line'), linecolor: css('--line'), automargin: true, fixedrange: true };
  return {
    margin: { l: 8, r: 12, t: 8, b: 8 }, paper_bgcolor: 'transparent', plot_bgcolor: 'transparent', separators: NL ? ',.' : '.,', autosize: true,
    font: { family: 'inherit', size: parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.75, color: css('--ink') },
    hoverlabel: { bgcolor: css('--panel'), font: { color: css('--ink') } }, legend: { orientation: 'h', y: -0.15, yanchor: 'top' }, colorway: SERIES,
    uniformtext: { minsize: 10, mode: 'hide' }, ...extra, xaxis: { ...axis, ...extra.xaxis }, yaxis: { ...axis, rangemode: 'tozero', ...extra.yaxis },
  };
}

const axisOf = ({ unit, min, max }) => ({
  ...(unit === 'percentunit' ? { tickformat: ',.0%' } : {}), ...(unit === 'percent' ? { ticksuffix: ' %' } : {}), ...(unit === 's' || unit === 'ms' ? { ticksuffix: ` ${unit}` } : {}),
  ...(min !== undefined && max !== undefined ? { range: [min, max] } : min !== undefined && min !== 0 ? { range: [min, null], rangemode: 'normal' } : {}),
});
const timeAxis = page => ({ type: 'date', range: [wall(page.span[0]), wall(page.span[1])], tickformatstops: [
  { dtickrange: [null, 86399999], value: '%H:%M\n%d-%m' }, { dtickrange: [86400000, null], value: '%d-%m\n%Y' }] });

// Columns over time: those of a wide frame, or of a long one (time, texts that name the series, numbers) a column for each name.
function seriesOf(frames) {
  return frames.flatMap(frame => {
    const time = frame.find(column => column.kind === 'time');
    const names = frame.filter(column => column.kind === 'string');
    const values = frame.filter(column => column !== time && !names.includes(column));
    const states = values.length ? values : names.splice(-1);
    if (!time) return [];
    if (!names.length) return states.map(column => ({ ...column, times: time.values }));
    const found = new Map();
    time.values.forEach((at, row) => {
      for (const column of states) {
        const labels = Object.fromEntries(names.map(one => [one.name, one.values[row]]));
        const name = [...Object.values(labels), ...(states.length > 1 ? [column.name] : [])].join(' ');
        if (!found.has(name)) found.set(name, { name, kind: column.kind, labels, times: [], values: [] });
        found.get(name).times.push(at);
        found.get(name).values.push(column.values[row]);
      }
    });
    return [...found.values()];
  });
}

// The same figures as rows, for whoever reads a table rather than a chart; the newest first.
function rowsOf(series) {
  const times = [...new Set(series.flatMap(one => one.times))].sort((a, b) => b - a).slice(0, 500);
  const at = series.map(one => new Map(one.times.map((time, place) => [time, one.values[place]])));
  return [{ name: say('tijd', 'time'), kind: 'time', values: times }, ...series.map((one, place) => ({ ...one, values: times.map(time => at[place].get(time) ?? null) }))];
}

function chart(body, panel, traces, layout, rows, page) {
  const place = body.querySelector('.chart') ?? element('div', { className: 'chart', role: 'img' });
  place.setAttribute('aria-label', `${panel.title}: ${say('grafiek; de cijfers staan in de tabel eronder', 'chart; its figures are in the table below')}`);
  const details = body.querySelector('details') ?? element('details', {}, element('summary', {}, say('Tabel', 'Table')), element('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': panel.title }));
  details.lastChild.replaceChildren(tableOf(panel, rows, page));
  body.replaceChildren(place, details);
  Plotly.react(place, traces, layout, { displayModeBar: false, responsive: true, locale: NL ? 'nl' : 'en' });
}

function timeseries(body, panel, frames, page) {
  const series = seriesOf(frames);
  const shown = series.map((one, place) => ({ one, place, config: configOf(panel, one, one.labels) }));
  const right = shown.find(({ config }) => config.custom.axisPlacement === 'right');
  const below = ({ config }) => shown.find(({ one, config: { name } }) => [name, one.name].includes(config.custom.fillBelowTo));
  const ordered = [...new Set([...shown.flatMap(one => (below(one) ? [below(one), one] : [])), ...shown])]; // plotly fills to the trace before
  const traces = ordered.map(({ one, place, config }) => {
    const { drawStyle = 'line', lineWidth = 2, lineStyle, fillBelowTo, fillOpacity = 0, showPoints, axisPlacement } = config.custom;
    const color = colourOf({ ...config, thresholds: undefined }, null) || SERIES[place % SERIES.length];
    return {
      x: one.times.map(wall), y: one.values, name: config.name, text: one.values.map(value => textOf(config, value, one.kind)), hovertemplate: '%{text}',
      ...(axisPlacement === 'right' ? { yaxis: 'y2' } : {}),
      ...(drawStyle === 'bars' ? { type: 'bar', textposition: 'none', marker: { color, opacity: 0.7 } } : {
        type: 'scatter', mode: showPoints === 'always' || one.values.length === 1 ? 'lines+markers' : 'lines', connectgaps: config.custom.spanNulls === true, marker: { color },
        line: { color, width: lineWidth, dash: lineStyle?.dash ? lineStyle.dash.map(dash => `${dash}px`).join(',') : 'solid' },
        ...(fillBelowTo ? { fill: 'tonexty', fillcolor: color + Math.round(fillOpacity * 2.55).toString(16).padStart(2, '0') } : fillOpacity ? { fill: 'tozeroy', fillcolor: `${color}22` } : {}),
      }),
    };
  });
  chart(body, panel, traces, layoutOf({
    hovermode: 'x unified', showlegend: panel.options?.legend?.showLegend !== false && traces.length > 1, barmode: 'overlay', xaxis: timeAxis(page),
    yaxis: axisOf(panel.fieldConfig?.defaults ?? {}), ...(right ? { yaxis2: { ...axisOf(right.config), overlaying: 'y', side: 'right', rangemode: 'tozero', showgrid: false, automargin: true } } : {}),
  }), rowsOf(series), page);
}

function barchart(body, panel, frames, page) {
  const frame = frames[0] ?? [];
  const { xField, orientation, stacking } = panel.options ?? {};
  const category = frame.find(column => column.name === xField) ?? frame.find(column => column.kind !== 'number');
  const across = orientation === 'horizontal';
  const names = category?.values.map(value => textOf(configOf(panel, category), value, category.kind)) ?? [];
  const traces = frame.filter(column => column.kind === 'number' && column !== category && !configOf(panel, column).custom.hidden).map((column, place) => {
    const config = configOf(panel, column);
    const text = column.values.map(value => textOf(config, value, column.kind));
    return { type: 'bar', name: config.name, orientation: across ? 'h' : 'v', [across ? 'y' : 'x']: names, [across ? 'x' : 'y']: column.values, text, hovertemplate: '%{text}',
      textposition: names.length > 24 ? 'none' : 'auto', textangle: 0, marker: { color: colourOf({ ...config, thresholds: undefined }, null) || SERIES[place % SERIES.length] } };
  });
  const numbers = axisOf(panel.fieldConfig?.defaults ?? {});
  const labels = { type: 'category', ...(across ? { autorange: 'reversed' } : {}) };
  chart(body, panel, traces, layoutOf({ barmode: stacking && stacking !== 'none' ? 'stack' : 'group', showlegend: traces.length > 1, xaxis: across ? { ...numbers, rangemode: 'tozero' } : labels, yaxis: across ? labels : numbers }), frame, page);
}

function gauge(body, panel, frames, page) {
  const [found] = reduced(panel, frames);
  if (!found || found.value === null) return void body.replaceChildren(element('p', { className: 'nothing' }, panel.fieldConfig?.defaults?.noValue ?? say('Nog niets', 'Nothing yet')));
  const { min = 0, max = 1, thresholds } = found.config;
  const target = thresholds?.steps?.at(-1)?.value;
  const trace = { type: 'indicator', mode: 'gauge', value: found.value, gauge: { axis: { range: [min, max], ...axisOf({ unit: found.config.unit }) }, bar: { color: colourOf(found.config, found.value) || SERIES[0], thickness: 0.7 },
    ...(target === null || target === undefined ? {} : { threshold: { value: target, thickness: 1, line: { color: css('--ink'), width: 3 } } }) } };
  chart(body, panel, [trace], layoutOf({ margin: { l: 44, r: 44, t: 28, b: 8 }, annotations: [{ text: found.text, x: 0.5, y: 0.1, xref: 'paper', yref: 'paper', showarrow: false, font: { size: 24 } }] }), frames[0], page);
}

function heatmap(body, panel, frames, page) {
  const series = seriesOf(frames);
  const times = [...new Set(series.flatMap(one => one.times))].sort((a, b) => a - b);
  const day = times.length > 1 && (times.at(-1) - times[0]) / (times.length - 1) > 8e7;
  const trace = { type: 'heatmap', colorscale: SCALE, xgap: 1, ygap: 1, hovertemplate: '%{x} · %{y}: %{z}<extra></extra>', colorbar: { thickness: 10 }, y: series.map(one => configOf(panel, one, one.labels).name),
    x: times.map(time => (day ? moment(time).slice(0, 5) : moment(time))), z: series.map(one => times.map(time => one.values[one.times.indexOf(time)] ?? null)) };
  chart(body, panel, [trace], layoutOf({ xaxis: { type: 'category' }, yaxis: { type: 'category' } }), rowsOf(series), page);
}

function timeline(body, panel, frames, page) {
  const series = seriesOf(frames);
  const seen = new Set();
  const traces = series.flatMap(one => {
    const config = configOf(panel, one, one.labels);
    const bits = [];
    one.times.forEach((time, at) => { // neighbours of one state are one bar
      if (bits.at(-1)?.value === one.values[at]) return;
      if (bits.length) bits.at(-1).end = time;
      bits.push({ value: one.values[at], start: time, end: Math.max(time, page.span[1]) });
    });
    return bits.filter(bit => bit.value !== null).map(({ value, start, end }) => {
      const [text, color] = [textOf(config, value, one.kind), colourOf(config, value) || '#7F7F7F'];
      const name = seen.has(text) ? '' : text;
      seen.add(text);
      return { type: 'bar', orientation: 'h', y: [config.name], base: [wall(start)], x: [new Date(`${wall(end).replace(' ', 'T')}Z`) - new Date(`${wall(start).replace(' ', 'T')}Z`)], name: text, legendgroup: text, showlegend: Boolean(name),
        marker: { color }, text: [text], textposition: 'inside', textangle: 0, insidetextanchor: 'start', insidetextfont: { color: inkOn(color) }, hovertext: [`${text}<br>${moment(start)} – ${moment(end)}`], hoverinfo: 'text' };
    });
  });
  chart(body, panel, traces, layoutOf({ barmode: 'overlay', bargap: 0.15, showlegend: false, xaxis: timeAxis(page), yaxis: { type: 'category', autorange: 'reversed' } }), rowsOf(series), page);
}

// The little of Markdown that our boards use, as elements: no text ever becomes HTML.
function inline(text, page) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`|\[[^\]]+\]\([^)]+\))/).map(part => {
    const link = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(part);
    const address = link && addressOf(link[2], page);
    if (address) return element('a', { href: address }, link[1]);
    if (part.startsWith('**')) return element('strong', {}, part.slice(2, -2));
    return part.startsWith('`') ? element('code', {}, part.slice(1, -1)) : document.createTextNode(part);
  });
}
function text(body, panel, _frames, page) {
  for (const block of (panel.options?.content ?? '').split(/\n\s*\n/)) {
    const lines = block.trim().split('\n');
    const heading = /^(#+) (.*)/.exec(lines[0]);
    if (heading) body.append(element('h4', {}, ...inline(heading[2], page)));
    const rest = heading ? lines.slice(1) : lines;
    if (rest.length && rest.every(line => /^\s*[-*] /.test(line))) body.append(element('ul', {}, ...rest.map(line => element('li', {}, ...inline(line.replace(/^\s*[-*] /, ''), page)))));
    else if (rest.length) body.append(element('p', {}, ...inline(rest.join(' '), page)));
  }
}

export const KINDS = { stat, gauge, timeseries, barchart, table, heatmap, 'state-timeline': timeline, text };
const CHARTS = [timeseries, barchart, gauge, heatmap, timeline];

export function draw(body, panel, frames, page) {
  const kind = KINDS[panel.type];
  if (!kind) return void body.replaceChildren(element('p', { className: 'problem' }, say(`Dit bord kent geen paneel ${panel.type}; open het in Grafana.`, `This board knows no panel ${panel.type}; open it in Grafana.`)));
  if (!CHARTS.includes(kind)) body.replaceChildren();
  else if (frames.every(frame => !frame[0]?.values.length)) return void body.replaceChildren(element('p', { className: 'nothing' }, panel.fieldConfig?.defaults?.noValue ?? say('Geen gegevens in deze tijd', 'No data in this time')));
  kind(body, panel, frames, page);
}
