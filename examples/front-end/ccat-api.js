// A page of another origin of the same site that chats with ccat-api, unmodified. It
// has no credential: the browser sends the session's cookie with the handshake of a
// WebSocket by itself, and with HTTP calls if they are told to.
import { CatClient } from 'ccat-api';
import { catflap, loginAddress, session, signOut } from './session.js';

const say = document.querySelector('form');
const log = document.querySelector('ol');
const state = document.querySelector('[role=status]');
const out = document.querySelector('#out');

function add(text, kind) {
  const item = document.createElement('li');
  item.className = kind;
  item.textContent = text;
  log.append(item);
  return item;
}

function showSignIn(who) {
  const link = document.createElement('a');
  link.href = loginAddress(who.login_url);
  link.textContent = 'Sign in';
  state.replaceChildren(link);
  out.hidden = true;
}

const cat = new CatClient({
  host: catflap.hostname,
  port: catflap.port,
  secure: catflap.protocol === 'https:',
  instant: false,
  ws: { retries: -1, delay: 3000 },
});

let answer; // the one that is being written
cat.onConnected(() => { state.dataset.open = 'yes'; });
cat.onMessage((message) => {
  if (message.type === 'chat_token') {
    answer ??= add('', 'cat');
    answer.textContent += message.content;
  } else if (message.type === 'chat') {
    (answer ?? add('', 'cat')).textContent = message.text;
    answer = undefined;
  }
});
cat.onError((error) => add(error.description, 'note'));
cat.onDisconnected(async () => {
  delete state.dataset.open;
  const who = await session();
  if (who.signed_in) return; // the client tries again by itself
  cat.close();
  showSignIn(who);
});

async function start() {
  const who = await session();
  if (!who.signed_in) return showSignIn(who);
  state.textContent = `Signed in as ${who.user.name || who.user.id}`;
  out.hidden = false;
  cat.init();
  // Without this the HTTP calls go without the cookie, and are answered 401. A new
  // userId or credential makes a new api: set it again then.
  cat.api.request.config.WITH_CREDENTIALS = true;
  const { history } = await cat.api.memory.getConversationHistory();
  for (const turn of history) add(turn.text, turn.who === 'Human' ? 'mine' : 'cat');
}

say.addEventListener('submit', (event) => {
  event.preventDefault();
  add(say.text.value, 'mine');
  cat.send({ text: say.text.value });
  say.reset();
});
out.addEventListener('click', () => signOut().catch((error) => add(error.message, 'note')));

start().catch((error) => add(error.message, 'note'));
