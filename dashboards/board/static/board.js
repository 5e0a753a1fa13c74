// A board: what the reader may choose, its panels, what fires; asked again by itself.

import { addressOf, clock, moment, NL, say, setZone } from './fields.js';
import { anchor, draw, element } from './panels.js';

const uid = location.pathname.split('/')[2];
const query = new URLSearchParams(location.search);
const kiosk = query.has('kiosk');
const $ = id => document.getElementById(id);
const page = { variables: {}, from: '', to: '', span: [0, 0], alerts: '', busy: false };
const SPANS = [
  ['now-1h', say('laatste uur', 'last hour')], ['now-3h', say('laatste 3 uur', 'last 3 hours')], ['now/d', say('vandaag', 'today')],
  ['now-24h', say('laatste 24 uur', 'last 24 hours')], ['now-7d', say('laatste 7 dagen', 'last 7 days')],
  ['now-28d', say('laatste 28 dagen', 'last 28 days')], ['now-90d', say('laatste 90 dagen', 'last 90 days')],
  ['now-1y', say('laatste jaar', 'last year')], ['now-2y', say('laatste 2 jaar', 'last 2 years')],
];
const HERE = { 'Content-Type': 'application/json', 'X-Contactmeter': 'board' };

class Problem extends Error {}
async function ask(path, options = {}) {
  const response = await fetch(path, { signal: AbortSignal.timeout(30000), ...options }).catch(() => {
    throw new Problem(say('Het bord antwoordt niet. Draait `contactmeter board` nog?', 'No answer. Does `contactmeter board` still run?'));
  });
  const answer = await response.json().catch(() => ({ problem: `${response.status} ${response.statusText}` }));
  if (!response.ok) throw new Problem(answer.problem);
  return answer;
}

const chosen = () => Object.fromEntries(Object.entries(page.variables).map(([name, value]) => [`var-${name}`, value]));
const asked = more => new URLSearchParams({ ...chosen(), from: page.from, to: page.to, ...more });
const addressHere = (board, more = {}) => `/d/${board}?${asked({ ...more, ...(kiosk ? { kiosk: '' } : {}) })}`;

function choice(name, label, options, value, more = picked => ({ [name]: picked })) {
  const made = options.map(([one, text]) => element('option', { value: one, selected: one === value }, text));
  const select = element('select', { name, onchange: () => location.assign(addressHere(uid, more(select.value))) }, ...made);
  return element('label', {}, element('span', {}, label), select);
}

function head(board) {
  $('boards').replaceChildren(...board.boards.map(one => {
    const made = anchor(one.title, `/d/${one.uid}?${new URLSearchParams(chosen())}`); // each board has a time of its own
    if (one.uid === uid) made.setAttribute('aria-current', 'page');
    return made;
  }));
  const known = SPANS.some(([from]) => from === page.from) && page.to === 'now';
  const spans = known ? SPANS : [[page.from, page.span.map(moment).join(' – ')], ...SPANS];
  const other = anchor(NL ? 'English' : 'Nederlands', addressHere(board.other));
  other.lang = other.hreflang = NL ? 'en' : 'nl';
  const wallScreen = anchor(say('Wandscherm', 'Wall screen'), addressHere(uid, { kiosk: '' }));
  $('chosen').replaceChildren(
    ...board.variables.filter(one => !one.hidden).map(one => choice(`var-${one.name}`, one.label, one.options, one.value)),
    choice('from', say('Tijd', 'Time'), spans, page.from, from => ({ from, to: 'now' })),
    element('span', { className: 'tools' }, other, wallScreen),
    element('span', { id: 'stamp' }),
  );
}

// The frame of each panel stands still; only what is in it is drawn anew, and only when it changed.
function frameOf(panel) {
  const { gridPos: { x, y, w, h }, title } = panel;
  const id = `panel-${panel.id}`;
  let made = element('h2', { className: 'row' }, title);
  if (panel.type !== 'row') {
    const links = (panel.links ?? []).map(one => anchor(one.title, addressOf(one.url, page.variables), '', one.targetBlank));
    const about = element('details', { className: 'about' },
      element('summary', { 'aria-label': `${say('Uitleg', 'About')}: ${title}` }, '?'), element('p', {}, panel.description));
    made = element('section', { className: 'panel', 'aria-labelledby': id },
      element('div', { className: 'head' }, element('h3', { id }, title), panel.description && about, ...links),
      element('div', { className: `body ${panel.type}`, role: 'region', 'aria-label': title }));
  }
  made.style.gridArea = `${y + 1} / ${x + 1} / span ${h} / span ${w}`;
  return made;
}

async function refreshPanel({ panel, frame, state }) {
  const body = frame.querySelector('.body');
  try {
    const points = Math.max(50, Math.round(body.clientWidth / 4));
    const { frames, span } = await ask(`/api/boards/${uid}/panels/${panel.id}?${asked({ points })}`);
    page.span = span;
    const moving = ['timeseries', 'state-timeline'].includes(panel.type) ? Math.round(span[1] / 60000) : 0;
    const text = JSON.stringify([frames, moving]);
    if (state.text !== text) draw(body, panel, frames, page);
    if (body.scrollHeight > body.clientHeight) body.tabIndex = 0; // what scrolls must be reached by keyboard
    else body.removeAttribute('tabindex');
    frame.querySelector('.problem')?.remove();
    frame.classList.remove('old');
    Object.assign(state, { text, at: Date.now() });
  } catch (error) {
    if (!(error instanceof Problem)) console.error(error);
    const had = state.text ? say(` Wat hier staat is van ${clock(state.at)}.`, ` What stands here is of ${clock(state.at)}.`) : '';
    frame.querySelector('.problem')?.remove();
    frame.insertBefore(element('p', { className: 'problem', tabIndex: 0 }, `⚠ ${error.message}${had}`), body);
    frame.classList.add('old');
  }
}

async function seen(organisation, { incident }) {
  const who = window.prompt(say('Uw naam, zoals anderen die zien:', 'Your name, as others see it:'), localStorage.getItem('who') ?? '');
  if (!who) return;
  localStorage.setItem('who', who);
  try {
    const path = `/api/incidents/${encodeURIComponent(organisation)}/${encodeURIComponent(incident)}/seen`;
    await ask(`${path}?language=${NL ? 'nl' : 'en'}`, { method: 'POST', headers: HERE, body: JSON.stringify({ who }) });
    $('told').textContent = say('Verstuurd: de anderen zien het binnen een minuut.', 'Sent: the others see it within a minute.');
  } catch (error) { $('told').textContent = `⚠ ${error.message}`; }
}

async function refreshAlerts() {
  const { organisation = '' } = page.variables;
  const found = await ask(`/api/alerts?${new URLSearchParams({ organisation, language: NL ? 'nl' : 'en' })}`);
  const text = JSON.stringify(found);
  if (page.alerts === text) return; // a live region speaks only when something changed
  page.alerts = text;
  const button = say('Ik kijk ernaar', 'I look at it');
  const lines = found.alerts.map(one => element('li', { className: one.severity },
    anchor(one.title.replace(/^(?![▲◷?✗])/, one.severity === 'page' ? '▲ ' : '• '), one.url),
    element('small', {}, ` ${say('sinds', 'since')} ${moment(one.since)}. ${one.text} `),
    one.incident && element('button', { 'aria-label': `${button}: ${one.title}`, onclick: () => seen(organisation, one) }, button)));
  let calm = found.read ? say('✓ Geen alarm', '✓ No alert') : say('De alarmregels worden gelezen …', 'The alert rules are being read …');
  if (lines.length) calm = '';
  if (found.problem) calm = `⚠ ${say('Niet elke alarmregel kon gevraagd worden', 'Not every rule could be asked')}: ${found.problem}`;
  $('alerts').replaceChildren(element('p', { className: found.problem ? 'problem' : 'calm' }, calm), element('ul', {}, ...lines));
}

async function refreshAll(panels) {
  if (page.busy || document.hidden) return;
  page.busy = true;
  await Promise.all([...panels.map(refreshPanel), refreshAlerts().catch(() => {})]);
  const old = panels.some(({ frame }) => frame.classList.contains('old'));
  const now = clock(Date.now());
  $('stamp').textContent = old ? say('⚠ niet alles is bij', '⚠ not all is current') : say(`bijgewerkt ${now}`, `updated ${now}`);
  $('panels').dataset.at = Date.now();
  page.busy = false;
}

async function start() {
  document.documentElement.classList.toggle('kiosk', kiosk);
  document.querySelector('.skip').textContent = say('Naar het bord', 'To the board');
  const board = await ask(`/api/boards/${uid}?${query}`);
  setZone(board.zone);
  for (const { name, value } of board.variables) page.variables[name] = value;
  Object.assign(page, { from: query.get('from') ?? board.time.from, to: query.get('to') ?? board.time.to, span: board.span });
  head(board);
  const made = board.panels.map(panel => ({ panel, frame: frameOf(panel), state: {} }));
  $('panels').replaceChildren(...made.map(({ frame }) => frame));
  const rows = Math.max(...board.panels.map(({ gridPos: { y, h } }) => y + h));
  document.documentElement.classList.toggle('fits', rows <= 26); // a wall screen has nobody who scrolls
  const panels = made.filter(({ panel }) => panel.type !== 'row');
  await refreshAll(panels);
  const [, many, unit] = /^(\d+)([sm])$/.exec(board.refresh);
  setInterval(() => refreshAll(panels), many * { s: 1000, m: 60000 }[unit]);
  document.addEventListener('visibilitychange', () => refreshAll(panels));
}

start().catch(error => {
  $('told').textContent = `⚠ ${error.message}`;
  setTimeout(() => location.reload(), 5000);
});
