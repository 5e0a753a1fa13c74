// One function a kind of panel: it makes an element, or a chart of plotly's, of frames (lists of columns). Each chart has its table.

import { addressOf, colourOf, configOf, inkOn, moment, NL, say, textOf, wall } from './fields.js';

const SERIES = ['#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#B8A800'];
const BLUES = [[242, 8], [246, 48], [251, 107]];
const hex = number => Math.round(number).toString(16).padStart(2, '0');
const shade = part => `#${BLUES.map(([light, dark]) => hex(light + (dark - light) * part)).join('')}`;
const css = name => getComputedStyle(document.body).getPropertyValue(name).trim();
const rowAt = (frame, at) => Object.fromEntries(frame.map(column => [column.name, column.values[at]]));

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter(Boolean));
  return made;
}

export const anchor = (text, address, title = '', blank = false) =>
  element('a', { href: address, title, ...(blank ? { target: '_blank', rel: 'noopener' } : {}) }, text);

function linked(text, config, page, row, value) {
  const link = config.links?.[0];
  const address = link && value !== null && value !== '' ? addressOf(link.url, page.variables, row) : null;
  return address ? anchor(text, address, link.title, link.targetBlank) : text;
}

function paint(made, colour) {
  Object.assign(made.style, { background: colour, color: colour ? inkOn(colour) : '' });
}

// A cell's colour, or the bar behind its number; Grafana scales both over all numbers of the panel.
function dress(cell, config, value, [least, most]) {
  const style = config.custom.cellOptions?.type;
  const colour = colourOf(config, value);
  if (style === 'gauge' && most > 0) {
    const bar = `color-mix(in srgb, ${colour || SERIES[0]} 35%, transparent)`;
    cell.style.backgroundImage = `linear-gradient(90deg, ${bar} ${100 * value / most}%, transparent 0)`;
  } else if (style === 'color-background' && config.color?.mode === 'continuous-blues') {
    if (typeof value === 'number') paint(cell, shade(most > least ? (value - least) / (most - least) : 0));
  } else if (style === 'color-background') paint(cell, colour);
}

function tableOf(panel, frame, page) {
  const shown = frame.map(column => ({ column, config: configOf(panel, column) })).filter(({ config }) => !config.custom.hidden);
  const numbers = frame.filter(({ kind }) => kind === 'number').flatMap(({ values }) => values).filter(value => value !== null);
  const range = [Math.min(...numbers), Math.max(...numbers)];
  const head = shown.map(({ column: { kind }, config: { name, custom } }) =>
    element('th', { scope: 'col', className: kind, ...(custom.width ? { width: custom.width } : {}) }, name));
  const rows = (frame[0]?.values ?? []).map((_, at) => element('tr', {}, ...shown.map(({ column: { kind, values }, config }) => {
    const text = textOf(config, values[at], kind);
    const cell = element('td', { className: kind }, linked(text, config, page, rowAt(frame, at), values[at]));
    dress(cell, config, values[at], range);
    return cell;
  })));
  return element('table', {}, element('caption', { className: 'unseen' }, panel.title),
    element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...rows));
}

// The columns that a stat or gauge shows, with their last values.
function lastOf(panel, frames) {
  const every = panel.options?.reduceOptions?.fields === '/.*/';
  return frames.flatMap(frame => frame.filter(({ kind }) => every || kind === 'number').map(column => {
    const config = configOf(panel, column);
    const value = column.values.findLast(one => one !== null) ?? null;
    return { config, value, row: rowAt(frame, column.values.length - 1), text: textOf(config, value, column.kind) };
  }));
}

function stat(panel, frames, page) {
  const { colorMode, textMode } = panel.options;
  return element('dl', { className: 'stats' }, ...lastOf(panel, frames).map(({ config, value, row, text }) => {
    const name = element('dt', { className: textMode === 'value' ? 'unseen' : '' }, config.name);
    const size = text.length > 12 ? 'long' : text.length > 7 ? 'wide' : '';
    const tile = element('div', {}, name, element('dd', { className: size }, linked(text, config, page, row, value)));
    if (colorMode === 'background') paint(tile, colourOf(config, value));
    return tile;
  }));
}

// The little of Markdown that our boards use, as elements: no text ever becomes HTML.
function text(panel, _frames, page) {
  const inline = words => words.split(/(\*\*[^*]+\*\*|\[[^\]]+\]\([^)]+\))/).map(part => {
    const [, name, url] = /^\[(.+)\]\((.+)\)$/.exec(part) ?? [];
    const address = url && addressOf(url, page.variables);
    if (address) return anchor(name, address);
    return part.startsWith('**') ? element('strong', {}, part.slice(2, -2)) : part;
  });
  return element('div', {}, ...panel.options.content.trim().split(/\n\s*\n/).map(block => {
    const lines = block.split('\n');
    if (block.startsWith('#')) return element('h4', {}, ...inline(block.replace(/^#+ /, '')));
    if (block.startsWith('- ')) return element('ul', {}, ...lines.map(line => element('li', {}, ...inline(line.slice(2)))));
    return element('p', {}, ...inline(lines.join(' ')));
  }));
}

// Columns over time: those of a wide frame, or of a long one (time, texts that name the series, numbers) a column for each name.
function seriesOf(panel, frames) {
  const found = new Map();
  for (const frame of frames) {
    const time = frame.find(({ kind }) => kind === 'time');
    const texts = frame.filter(({ kind }) => kind === 'string');
    const numbers = frame.filter(({ kind }) => kind === 'number');
    const values = numbers.length ? numbers : texts.splice(-1);
    time?.values.forEach((at, row) => values.forEach(column => {
      const named = values.length > 1 || !texts.length ? [column.name] : [];
      const name = [...texts.map(one => one.values[row]), ...named].join(' ');
      const key = frames.length > 1 ? `${frames.indexOf(frame)} ${name}` : name; // two series of metrics may have one name
      if (!found.has(key)) found.set(key, { name, kind: column.kind, times: [], values: [] });
      found.get(key).times.push(at);
      found.get(key).values.push(column.values[row]);
    }));
  }
  return [...found.values()].map((one, place) => {
    const config = configOf(panel, one);
    return { ...one, config, color: config.color?.fixedColor ?? SERIES[place % SERIES.length] };
  });
}

// The same figures as rows, for whoever reads a table rather than a chart; the newest first.
function rowsOf(series) {
  const times = [...new Set(series.flatMap(one => one.times))].sort((a, b) => b - a).slice(0, 500);
  const at = series.map(one => new Map(one.times.map((time, place) => [time, one.values[place]])));
  const columns = series.map((one, place) => ({ ...one, values: times.map(time => at[place].get(time) ?? null) }));
  return [{ name: say('tijd', 'time'), kind: 'time', values: times }, ...columns];
}

function axisOf({ unit, min, max }) {
  const ticks = { percentunit: { tickformat: ',.0%' }, s: { ticksuffix: ' s' } }[unit] ?? {};
  if (max !== undefined || min > 0) return { ...ticks, range: [min ?? 0, max ?? null] };
  return min === 0 ? { ...ticks, rangemode: 'tozero' } : ticks;
}

const timeAxis = page => ({
  type: 'date',
  range: page.span.map(wall),
  hoverformat: '%d-%m-%Y %H:%M',
  tickformatstops: [{ dtickrange: [null, 86399999], value: '%H:%M\n%d-%m' }, { dtickrange: [86400000, null], value: '%d-%m\n%Y' }],
});

function timeseries(panel, frames, page) {
  const series = seriesOf(panel, frames);
  const below = ({ config }) => series.find(one => [one.name, one.config.name].includes(config.custom.fillBelowTo));
  const ordered = new Set([...series.flatMap(one => (below(one) ? [below(one), one] : [])), ...series]); // filled to the trace before
  const traces = [...ordered].map(({ kind, times, values, config, color }) => {
    const { drawStyle, lineWidth: width, lineStyle, fillBelowTo, showPoints } = config.custom;
    const texts = values.map(value => textOf(config, value, kind));
    const common = { name: config.name, x: times.map(wall), y: values, text: texts, hovertemplate: '%{text}', marker: { color } };
    if (drawStyle === 'bars') return { ...common, type: 'bar', textposition: 'none', opacity: 0.7 };
    const mode = showPoints === 'always' || values.length === 1 ? 'lines+markers' : 'lines';
    const line = { color, width, dash: (lineStyle?.dash ?? []).map(dash => `${dash}px`).join(',') || 'solid' };
    return { ...common, type: 'scatter', mode, line, ...(fillBelowTo ? { fill: 'tonexty', fillcolor: `${color}26` } : {}) };
  });
  const showlegend = panel.options.legend?.showLegend && traces.length > 1;
  const yaxis = axisOf(panel.fieldConfig.defaults);
  return { traces, layout: { hovermode: 'x unified', showlegend, barmode: 'overlay', xaxis: timeAxis(page), yaxis }, rows: rowsOf(series) };
}

function barchart(panel, [frame]) {
  const { xField, orientation } = panel.options;
  const lying = orientation === 'horizontal';
  const category = frame.find(({ name }) => name === xField);
  const names = category.values.map(value => textOf(configOf(panel, category), value, category.kind));
  const traces = frame.filter(({ kind }) => kind === 'number').map((column, place) => {
    const config = configOf(panel, column);
    return {
      type: 'bar', name: config.name, orientation: lying ? 'h' : 'v', [lying ? 'y' : 'x']: names, [lying ? 'x' : 'y']: column.values,
      text: column.values.map(value => textOf(config, value, column.kind)), hovertemplate: '%{text}', textangle: 0,
      textposition: names.length > 24 ? 'none' : 'auto', marker: { color: config.color?.fixedColor ?? SERIES[place % SERIES.length] },
    };
  });
  const amount = axisOf(panel.fieldConfig.defaults);
  const named = lying ? { type: 'category', autorange: 'reversed' } : { type: 'category', nticks: 12, tickangle: 0 };
  const layout = { showlegend: traces.length > 1, [lying ? 'xaxis' : 'yaxis']: amount, [lying ? 'yaxis' : 'xaxis']: named };
  return { traces, layout, rows: frame };
}

function gauge(panel, frames) {
  const [{ config, value, text: words }] = lastOf(panel, frames);
  const axis = { range: [config.min ?? 0, config.max ?? 1], tickformat: axisOf(config).tickformat };
  const threshold = { value: config.thresholds?.steps.at(-1).value ?? null, thickness: 1, line: { color: css('--ink'), width: 3 } };
  const dial = { axis, threshold, bar: { color: colourOf(config, value) || SERIES[0], thickness: 0.7 } };
  const number = { text: words, x: 0.5, y: 0.1, xref: 'paper', yref: 'paper', showarrow: false, font: { size: 24 } };
  const trace = { type: 'indicator', mode: 'gauge', value, gauge: dial };
  return { traces: [trace], layout: { margin: { l: 44, r: 44, t: 28, b: 8 }, annotations: [number] }, rows: frames[0] };
}

function heatmap(panel, frames) {
  const series = seriesOf(panel, frames);
  const rows = rowsOf(series);
  const trace = {
    type: 'heatmap', colorscale: [[0, shade(0)], [1, shade(1)]], xgap: 1, ygap: 1, hovertemplate: '%{x} · %{y}: %{z}<extra></extra>',
    x: rows[0].values.map(moment), y: series.map(({ config }) => config.name), z: rows.slice(1).map(({ values }) => values),
  };
  return { traces: [trace], layout: { xaxis: { type: 'category', autorange: 'reversed' }, yaxis: { type: 'category' } }, rows };
}

function timeline(panel, frames, page) {
  const series = seriesOf(panel, frames);
  const length = ({ start, end }) => Date.parse(`${wall(end)}Z`) - Date.parse(`${wall(start)}Z`);
  const traces = series.flatMap(({ times, values, kind, config }) => {
    const begins = values.map((_, at) => at).filter(at => !at || values[at] !== values[at - 1]); // neighbours of one state are one bar
    const bits = begins.map((at, place) => ({ value: values[at], start: times[at], end: times[begins[place + 1]] ?? page.span[1] }));
    return bits.filter(({ value }) => value !== null).map(bit => {
      const words = textOf(config, bit.value, kind);
      const color = colourOf(config, bit.value) || '#7F7F7F';
      return {
        type: 'bar', orientation: 'h', y: [config.name], base: [wall(bit.start)], x: [length(bit)], marker: { color },
        text: [words], textposition: 'inside', textangle: 0, insidetextanchor: 'start', insidetextfont: { color: inkOn(color) },
        hovertext: [`${words}<br>${moment(bit.start)} – ${moment(bit.end)}`], hoverinfo: 'text',
      };
    });
  });
  const yaxis = { type: 'category', autorange: 'reversed' };
  return { traces, layout: { barmode: 'overlay', bargap: 0.15, showlegend: false, xaxis: timeAxis(page), yaxis }, rows: rowsOf(series) };
}

function chart(body, panel, { traces, layout, rows }, page) {
  const place = body.querySelector('.chart') ?? element('div', { className: 'chart', role: 'img' });
  const details = body.querySelector('details') ?? element('details', {}, element('summary', {}, say('Tabel', 'Table')),
    element('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': panel.title }));
  const told = say('grafiek; de cijfers staan in de tabel eronder', 'chart; its figures are in the table below');
  place.setAttribute('aria-label', `${panel.title}: ${told}`);
  details.lastChild.replaceChildren(tableOf(panel, rows, page));
  body.replaceChildren(place, details);
  const lines = { gridcolor: css('--line'), zerolinecolor: css('--line'), linecolor: css('--line'), automargin: true, fixedrange: true };
  Plotly.react(place, traces, {
    margin: { l: 8, r: 12, t: 8, b: 8 }, autosize: true, paper_bgcolor: 'transparent', plot_bgcolor: 'transparent',
    font: { family: 'inherit', size: parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.75, color: css('--ink') },
    hoverlabel: { bgcolor: css('--panel'), font: { color: css('--ink') } }, legend: { orientation: 'h', yref: 'container', y: 0, yanchor: 'bottom' },
    separators: NL ? ',.' : '.,', uniformtext: { minsize: 10, mode: 'hide' }, ...layout,
    xaxis: { ...lines, ...layout.xaxis }, yaxis: { ...lines, ...layout.yaxis },
  }, { displayModeBar: false, responsive: true });
}

const PLAIN = { stat, text, table: (panel, [frame], page) => tableOf(panel, frame, page) };
const CHARTS = { timeseries, barchart, gauge, heatmap, 'state-timeline': timeline };

export function draw(body, panel, frames, page) {
  if (panel.type !== 'text' && frames.every(frame => !frame[0]?.values.length)) {
    const nothing = panel.fieldConfig?.defaults?.noValue ?? say('Geen gegevens in deze tijd', 'No data in this time');
    body.replaceChildren(element('p', { className: 'nothing' }, nothing));
  } else if (panel.type in CHARTS) chart(body, panel, CHARTS[panel.type](panel, frames, page), page);
  else body.replaceChildren(PLAIN[panel.type](panel, frames, page));
}
