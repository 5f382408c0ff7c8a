// Keeps the chat live and lets messages be sent without leaving the page.
const thread = document.getElementById("thread");
const text = document.getElementById("text");
const below = document.querySelector(".below");
const offline = document.querySelector(".offline");
const subtitle = document.querySelector(".sub");

// column-reverse: the newest line is at scrollTop 0, older ones have negative offsets
const isAtEnd = () => thread.scrollTop > -40;

async function refresh() {
  const response = await fetch(thread.dataset.source);
  if (!response.ok) return;
  const hadFocus = thread.contains(document.activeElement);
  const newest = thread.querySelector(".msg")?.id;
  const wasAtEnd = isAtEnd();
  thread.innerHTML = await response.text();
  const first = thread.querySelector(".msg");
  const isNew = first && first.id !== newest;
  if (isNew && newest) first.classList.add("is-new");
  if (isNew && wasAtEnd) thread.scrollTop = 0;
  below.hidden = wasAtEnd || !isNew || first.classList.contains("own");
  const state = thread.querySelector(".lines").dataset.state;
  subtitle.textContent = state === "typing" ? subtitle.dataset.typing : subtitle.dataset.idle;
  if (hadFocus) thread.focus({ preventScroll: true });
}

function listen() {
  const source = new EventSource(thread.dataset.live);
  source.onmessage = () => { offline.hidden = true; refresh(); };
  source.onopen = () => { offline.hidden = true; };
  source.onerror = () => {
    offline.hidden = false;
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  };
}

async function post(form, submitter) {
  const body = new FormData(form, submitter);
  const isFile = form.enctype === "multipart/form-data";
  const response = await fetch(form.action, {
    method: "POST",
    body: isFile ? body : new URLSearchParams(body),
    headers: { "X-Requested-With": "fetch" },
  });
  if (response.ok) form.reset();
  thread.scrollTop = 0;
  grow();
  await refresh();
}

function grow() {
  text.style.blockSize = "auto";
  text.style.blockSize = `${Math.min(text.scrollHeight + 2, 160)}px`;
}

for (const form of document.querySelectorAll(".suggestions, .attach, .write")) {
  if (form.elements.edit) continue; // an edit ends by loading the chat again
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    post(form, event.submitter);
  });
}
document.querySelector(".attach input")?.addEventListener("change", (event) => event.target.form.requestSubmit());
text.addEventListener("input", grow);
text.addEventListener("keydown", (event) => {
  if (event.code === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (text.value.trim()) text.form.requestSubmit();
  }
  if (event.code === "ArrowUp" && !text.value) thread.querySelector(".edit")?.click();
  if (event.code === "Escape" && text.form.elements.edit) document.querySelector(".editing a").click();
});
below.addEventListener("click", () => { thread.scrollTop = 0; below.hidden = true; });
thread.addEventListener("scroll", () => { if (isAtEnd()) below.hidden = true; });
document.addEventListener("click", (event) => {
  const menu = document.querySelector(".menu");
  if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = document.querySelector(".menu[open]");
  if (event.code === "Escape" && menu) { menu.open = false; menu.querySelector("summary").focus(); }
});

grow();
if (text.autofocus) text.setSelectionRange(text.value.length, text.value.length);
listen();
