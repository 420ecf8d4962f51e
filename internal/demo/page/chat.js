// Two people on one page. Each has a token of their own and one socket; nothing
// else tells them apart.
const catflap = document.body.dataset.catflap;

class Person {
  constructor(section) {
    this.name = section.dataset.name;
    this.log = section.querySelector('.log');
    this.state = section.querySelector('.state');
    this.answer = section.querySelector('.answer');
    section.querySelector('.say').addEventListener('submit', (event) => {
      event.preventDefault();
      this.say(event.target.text.value);
      event.target.reset();
    });
    for (const button of section.querySelectorAll('[data-try]')) {
      button.addEventListener('click', () => this.try(button.dataset.try));
    }
  }

  async start() {
    this.token = await (await fetch(`/token/${this.name}`)).text();
    this.connect();
  }

  connect() {
    // The path claims another person on purpose: it is not believed.
    this.socket = new WebSocket(`${catflap.replace(/^http/, 'ws')}/ws/admin?token=${this.token}`);
    this.socket.addEventListener('open', () => { this.state.textContent = 'connected'; });
    this.socket.addEventListener('message', (event) => this.hear(JSON.parse(event.data)));
    this.socket.addEventListener('close', (event) => {
      this.state.textContent = `closed (${event.code}${event.reason ? `: ${event.reason}` : ''})`;
      if (event.code === 4409) this.note('Another window has taken over. Reload to come back.');
      else if (event.code !== 4401) setTimeout(() => this.connect(), 2000);
    });
  }

  say(text) {
    this.add(text, 'mine');
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ text }));
    else this.note('Not connected: this was not sent.');
  }

  hear(message) {
    if (message.type === 'chat_token') {
      this.partial ??= this.add('', 'cat');
      this.partial.textContent += message.content;
    } else if (message.type === 'chat') {
      (this.partial ?? this.add('', 'cat')).textContent = message.text ?? message.content;
      this.partial = undefined;
      this.note(`The Cat knows you as ${message.user_id}`);
    } else {
      this.note(message.content ?? message.description ?? message.type);
    }
  }

  add(text, kind) {
    const item = document.createElement('li');
    item.className = kind;
    item.textContent = text;
    this.log.append(item);
    this.log.scrollTop = this.log.scrollHeight;
    return item;
  }

  note(text) { this.add(text, 'note'); }

  async try(what) {
    const other = this.name === 'alice' ? 'demo:bob' : 'demo:alice';
    const [path, headers] = {
      history: ['/memory/conversation_history', {}],
      points: ['/memory/collections/episodic/points', {}],
      users: ['/users/', {}],
      forged: ['/memory/conversation_history', { user_id: other }],
    }[what];
    const response = await fetch(catflap + path, { headers: { Authorization: `Bearer ${this.token}`, ...headers } });
    const body = await response.json();
    const forged = headers.user_id ? ` with user_id: ${headers.user_id}` : '';
    this.answer.textContent = `GET ${path}${forged}\n${response.status}\n${JSON.stringify(body, brief, 1)}`;
  }
}

// brief leaves out what fills the page and says nothing here: vectors, and the
// Cat's account of how it came to an answer.
function brief(key, value) {
  if (key === 'why') return undefined;
  if (Array.isArray(value) && value.length > 8 && typeof value[0] === 'number') return `(${value.length} numbers)`;
  return value;
}

for (const section of document.querySelectorAll('.person')) {
  const person = new Person(section);
  person.start().catch((error) => { person.state.textContent = `failed: ${error.message}`; });
}
