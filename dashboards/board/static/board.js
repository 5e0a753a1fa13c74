// A board: what the reader may choose, its panels, what fires; asked again by itself.

import { addressOf, clock, moment, NL, say, setZone } from './fields.js';
import { draw, element } from './panels.js';

const uid = location.pathname.split('/')[2];
const query = new URLSearchParams(location.search);
const $ = id => document.getElementById(id);
const page = { variables: {}, from: '', to: '', span: [0, 0] };
const SPANS = [['now-1h', say('laatste uur', 'last hour')], ['now-3h', say('laatste 3 uur', 'last 3 hours')], ['now-6h', say('laatste 6 uur', 'last 6 hours')], ['now/d', say('vandaag', 'today')], ['now-24h', say('laatste 24 uur', 'last 24 hours')],
  ['now-7d', say('laatste 7 dagen', 'last 7 days')], ['now-28d', say('laatste 28 dagen', 'last 28 days')], ['now-90d', say('laatste 90 dagen', 'last 90 days')], ['now-1y', say('laatste jaar', 'last year')], ['now-2y', say('laatste 2 jaar', 'last 2 years')]];

class Problem extends Error {}

async function ask(path, options = {}) {
  let response;
  try { response = await fetch(path, { signal: AbortSignal.timeout(30000), ...options }); } catch {
    throw new Problem(say('Het bord antwoordt niet. Draait `contactmeter board` nog?', 'The board does not answer. Does `contactmeter board` still run?'));
  }
  const answer = await response.json().catch(() => ({ problem: `${response.status} ${response.statusText}` }));
  if (!response.ok) throw new Problem(answer.problem ?? response.statusText);
  return answer;
}

const asked = (more = {}) => new URLSearchParams({ ...Object.fromEntries(Object.entries(page.variables).map(([name, value]) => [`var-${name}`, value])), from: page.from, to: page.to, ...more });
const kiosk = query.has('kiosk');
const addressHere = (board, more = {}, time = true) => {
  const found = asked(more);
  if (!time) ['from', 'to'].forEach(name => found.delete(name));
  return `/d/${board}?${found}${kiosk ? '&kiosk' : ''}`;
};

function choice(name, label, options, value, chosen) {
  const select = element('select', { name, onchange: () => chosen(select.value) }, ...options.map(([one, text]) => element('option', { value: one, selected: one === value }, text)));
  return element('label', {}, element('span', {}, label), select);
}

function head(board) {
  document.title = `${board.title} · contactmeter`;
  const order = ['now', 'channel', 'norms', 'satisfaction', 'busyness', 'signals', 'quarter', 'data', 'pipeline'];
  const place = one => order.indexOf(one.uid.split('-')[1]);
  $('boards').replaceChildren(...board.boards.sort((a, b) => place(a) - place(b)).map(one =>
    element('a', { href: addressHere(one.uid, {}, false), ...(one.uid === uid ? { 'aria-current': 'page' } : {}) }, one.title)));
  const go = more => { location.assign(addressHere(uid, more)); };
  const spans = SPANS.some(([from]) => from === page.from && page.to === 'now') || (page.from === 'now/d' && page.to === 'now/d') ? SPANS : [[page.from, `${moment(page.span[0])} – ${moment(page.span[1])}`], ...SPANS];
  $('chosen').replaceChildren(
    ...board.variables.filter(one => !one.hidden).map(one => choice(`var-${one.name}`, one.label, one.options, one.value, value => go({ [`var-${one.name}`]: value }))),
    choice('from', say('Tijd', 'Time'), spans, page.from, from => go({ from, to: 'now' })),
    element('span', { className: 'tools' }, ...board.others.map(other => element('a', { href: addressHere(other), lang: NL ? 'en' : 'nl', hreflang: NL ? 'en' : 'nl' }, NL ? 'English' : 'Nederlands')),
      element('a', { href: `${addressHere(uid)}&kiosk` }, say('Wandscherm', 'Wall screen'))),
  );
}

// The frame of each panel stands still; only what is in it is drawn anew, and only when it changed.
function frameOf(panel) {
  const { x, y, w, h } = panel.gridPos;
  const title = panel.title ?? '';
  if (panel.type === 'row') return place(element('h2', { className: 'row' }, title), x, y, w, 1);
  const id = `panel-${panel.id}`;
  const links = (panel.links ?? []).map(link => [link, addressOf(link.url, page)]).filter(([, address]) => address)
    .map(([link, address]) => element('a', { href: address, ...(link.targetBlank ? { target: '_blank', rel: 'noopener' } : {}) }, link.title));
  const about = panel.description ? element('details', { className: 'about' }, element('summary', { 'aria-label': `${say('Uitleg', 'About')}: ${title}` }, '?'), element('p', {}, panel.description)) : null;
  const body = element('div', { className: `body ${panel.type}`, role: 'region', 'aria-label': title });
  const section = element('section', { className: 'panel', 'aria-labelledby': id }, element('div', { className: 'head' }, element('h3', { id }, title), about, ...links), body);
  return place(section, x, y, w, h);
}

function place(made, x, y, w, h) {
  made.style.gridArea = `${y + 1} / ${x + 1} / span ${h} / span ${w}`;
  return made;
}

async function refreshPanel({ panel, frame, state }) {
  if (panel.type === 'row') return;
  const body = frame.querySelector('.body');
  try {
    const answer = panel.type === 'text' ? { frames: [], span: page.span } : await ask(`/api/boards/${uid}/panels/${panel.id}?${asked({ points: Math.max(50, Math.round(body.clientWidth / 4)) })}`);
    page.span = answer.span;
    const text = JSON.stringify([answer.frames, panel.type === 'timeseries' || panel.type === 'state-timeline' ? Math.round(answer.span[1] / 60000) : 0]);
    if (state.text !== text) {
      draw(body, panel, answer.frames, page);
      if (body.scrollHeight > body.clientHeight) body.tabIndex = 0; // what scrolls must be reached by keyboard
      else body.removeAttribute('tabindex');
      state.text = text;
    }
    frame.querySelector('.problem')?.remove();
    frame.classList.remove('old');
  } catch (error) {
    if (!(error instanceof Problem)) console.error(error);
    const had = state.text ? say(` Wat hier staat is van ${clock(state.at)}.`, ` What stands here is of ${clock(state.at)}.`) : '';
    frame.querySelector('.problem')?.remove();
    frame.insertBefore(element('p', { className: 'problem', tabIndex: 0 }, `⚠ ${error.message}${had}`), body);
    frame.classList.add('old');
    return;
  }
  state.at = Date.now();
}

async function seen(organisation, incident) {
  const name = window.prompt(say('Uw naam, zoals de anderen die zien:', 'Your name, as the others see it:'), localStorage.getItem('who') ?? '');
  if (!name) return;
  localStorage.setItem('who', name);
  try {
    await ask(`/api/incidents/${encodeURIComponent(organisation)}/${encodeURIComponent(incident)}/seen`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Contactmeter': 'board' }, body: JSON.stringify({ who: name }) });
    $('told').textContent = say('Verstuurd: de anderen zien binnen een minuut dat u ernaar kijkt.', 'Sent: within a minute the others see that you look at it.');
  } catch (error) { $('told').textContent = `⚠ ${error.message}`; }
}

async function refreshAlerts(state) {
  const organisation = page.variables.organisation ?? '';
  const found = await ask(`/api/alerts?${new URLSearchParams({ organisation, language: NL ? 'nl' : 'en' })}`);
  const text = JSON.stringify(found);
  if (state.alerts === text) return; // a live region speaks only when something changed
  state.alerts = text;
  const lines = [
    ...found.alerts.map(one => element('li', { className: one.severity }, element('a', { href: one.url }, one.title.replace(/^(?!▲|◷)/, one.severity === 'page' ? '▲ ' : '• ')), element('small', {}, ` ${say('sinds', 'since')} ${moment(one.since)}. ${one.text} `),
      one.incident ? element('button', { type: 'button', onclick: () => seen(organisation, one.incident), 'aria-label': `${say('Ik kijk ernaar', 'I look at it')}: ${one.title}` }, say('Ik kijk ernaar', 'I look at it')) : null)),
  ];
  const calm = element('p', { className: 'calm' }, found.read ? say('✓ Geen alarm', '✓ No alert') : say('De alarmregels worden gelezen …', 'The alert rules are being read …'));
  $('alerts').replaceChildren(found.problem ? element('p', { className: 'problem' }, `⚠ ${say('Niet alle alarmregels konden gevraagd worden', 'Not every alert rule could be asked')}: ${found.problem}`) : '', lines.length ? element('ul', {}, ...lines) : found.problem ? '' : calm);
}

async function refreshAll(panels, state) {
  if (state.busy || document.hidden) return;
  state.busy = true;
  await Promise.all([...panels.map(refreshPanel), refreshAlerts(state).catch(() => {})]);
  const old = panels.some(({ frame }) => frame.classList.contains('old'));
  $('panels').dataset.at = Date.now();
  document.body.classList.toggle('old', old);
  $('stamp').textContent = old ? say('⚠ niet alles is bij', '⚠ not all is current') : say(`bijgewerkt ${clock(Date.now())}`, `updated ${clock(Date.now())}`);
  state.busy = false;
}

const SECONDS = { s: 1, m: 60, h: 3600 };
async function start() {
  document.documentElement.classList.toggle('kiosk', kiosk);
  if (NL) Plotly.register({ moduleType: 'locale', name: 'nl', dictionary: {}, format: { days: ['zondag', 'maandag', 'dinsdag', 'woensdag', 'donderdag', 'vrijdag', 'zaterdag'], shortDays: ['zo', 'ma', 'di', 'wo', 'do', 'vr', 'za'],
    months: ['januari', 'februari', 'maart', 'april', 'mei', 'juni', 'juli', 'augustus', 'september', 'oktober', 'november', 'december'], shortMonths: ['jan', 'feb', 'mrt', 'apr', 'mei', 'jun', 'jul', 'aug', 'sep', 'okt', 'nov', 'dec'], date: '%d-%m-%Y' } });
  let board;
  for (;;) {
    try { board = await ask(`/api/boards/${uid}?${query}`); break; } catch (error) {
      $('told').textContent = `⚠ ${error.message}`;
      await new Promise(done => { setTimeout(done, 5000); });
    }
  }
  $('told').textContent = '';
  setZone(board.zone);
  page.from = query.get('from') ?? board.time.from;
  page.to = query.get('to') ?? board.time.to;
  for (const one of board.variables) page.variables[one.name] = one.value;
  page.span = board.span;
  head(board);
  $('chosen').append(element('span', { id: 'stamp' }));
  const panels = board.panels.map(panel => ({ panel, frame: frameOf(panel), state: {} }));
  $('panels').replaceChildren(...panels.map(({ frame }) => frame));
  const rows = Math.max(...board.panels.map(({ gridPos: { y, h } }) => y + h));
  document.documentElement.classList.toggle('fits', rows <= 26); // a wall screen has nobody who scrolls
  const state = {};
  await refreshAll(panels, state);
  const every = /^(\d+)([smh])$/.exec(board.refresh ?? '');
  if (every) setInterval(() => refreshAll(panels, state), every[1] * SECONDS[every[2]] * 1000);
  document.addEventListener('visibilitychange', () => refreshAll(panels, state));
}
start();
