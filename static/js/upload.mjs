// A large file goes up in pieces, so that a lost connection costs the piece that was under way and nothing else. What
// was sent stays on the server for a day: the same file chosen again goes on where it ended, in a new page as well.
// Without this module the form posts the file whole.
const PIECE = 4 << 20;
const WAITS = [1, 2, 4, 8, 15, 30];
const RATE_OVER = 15_000;

const form = document.getElementById("bring-in");
const files = form?.querySelector("input[type=file]");
const panel = document.getElementById("upload");
const part = (name) => panel.querySelector(`[data-part=${name}]`);
let stop = null;

form?.addEventListener("submit", (event) => {
  const chosen = [...files.files];
  const size = chosen.reduce((sum, file) => sum + file.size, 0);
  if (size <= PIECE || stop) return stop && event.preventDefault();
  event.preventDefault();
  stop = new AbortController();
  show(chosen, size);
  send(chosen, stop.signal).then(finish, (error) => (stop.signal.aborted ? away() : refused(error)));
});

/** Send what the server has not yet; gives the key of the complete upload. */
async function send(chosen, signal) {
  const name = chosen.map((file) => `${file.name}|${file.size}|${file.lastModified}`).join("|");
  const state = (await known(name, signal)) ?? (await begin(chosen, name, signal));
  panel.dataset.key = state.upload;
  halfSent(state.upload);
  const sent = [...state.arrived];
  const rate = meter(sum(sent));
  for (const [number, file] of chosen.entries()) {
    while (sent[number] < file.size) {
      const data = await slice(file, sent[number]);
      const address = `${form.dataset.uploads}/${state.upload}/${number}?offset=${sent[number]}`;
      const before = sum(sent);
      const piece = () => put(address, data, (loaded) => rate(before + loaded), signal);
      // Another page may have sent more of it meanwhile: then the server says from where to go on.
      sent[number] = (await stubbornly(piece, signal)) ?? (await ask(state.upload, signal))?.arrived[number];
      rate(sum(sent));
    }
  }
  localStorage.removeItem(`upload ${form.dataset.uploads} ${name}`);
  return state.upload;
}

/** The next piece; a file that was written to or taken away since it was chosen is refused by the browser for ever. */
function slice(file, from) {
  const gone = () => Promise.reject(Object.assign(new Error("The file was changed or moved while it was sent; choose it again."), { final: true }));
  return file.slice(from, from + PIECE).arrayBuffer().catch(gone);
}

/** The upload of the same files that was begun here earlier, if the server still has it. */
async function known(name, signal) {
  const key = localStorage.getItem(`upload ${form.dataset.uploads} ${name}`);
  return key && ask(key, signal);
}

const ask = (key, signal) =>
  stubbornly(async () => {
    const answer = await fetch(`${form.dataset.uploads}/${key}`, { signal });
    return answer.status === 404 ? null : read(answer);
  }, signal);

async function begin(chosen, name, signal) {
  const body = JSON.stringify({ files: chosen.map((file) => ({ name: file.name, size: file.size })) });
  const headers = { "Content-Type": "application/json" };
  const answer = await stubbornly(async () => read(await fetch(form.dataset.uploads, { method: "POST", headers, body, signal })), signal);
  localStorage.setItem(`upload ${form.dataset.uploads} ${name}`, answer.upload);
  return answer;
}

/** Send one piece; gives how much of its file has arrived, nothing where the server wants another piece. */
function put(address, data, tell, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", address);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.timeout = 120_000;
    request.upload.onprogress = (event) => tell(event.loaded);
    request.onload = () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText).arrived);
      else if (request.status === 409) resolve(undefined);
      else reject(trouble(request.status, request.responseText));
    };
    request.onerror = request.ontimeout = () => reject(new Error("connection"));
    request.onabort = () => reject(new Error("aborted"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(data);
  });
}

async function read(answer) {
  if (!answer.ok) throw trouble(answer.status, await answer.text());
  return answer.json();
}

/** What the server refuses, in its own words; a server that is busy or away is no refusal. */
function trouble(status, text) {
  const final = status < 500 || status === 507;
  const page = new DOMParser().parseFromString(text, "text/html");
  const words = page.querySelector("#error-words")?.textContent.trim();
  return Object.assign(new Error(words || `The server answered ${status}.`), { final });
}

/** Do it until it is done: after a lost connection again, each time after a longer wait. */
async function stubbornly(work, signal) {
  for (let tries = 0; ; tries++) {
    // Stopped while the piece was read from the disk: an abort that is over wakes nobody who listens for it later.
    signal.throwIfAborted();
    try {
      const done = await work();
      lost(false);
      return done;
    } catch (error) {
      if (error.final || signal.aborted) throw error;
      const wait = WAITS[Math.min(tries, WAITS.length - 1)];
      lost(true);
      await pause(wait, signal);
    }
  }
}

function lost(is) {
  part("trouble").hidden = part("waiting").hidden = !is;
  part("sending").hidden = is;
  if (is) part("rate").textContent = part("left").textContent = "";
}

/** Wait, counting down; a connection that comes back ends the wait. */
async function pause(seconds, signal) {
  for (let left = seconds; left > 0 && !signal.aborted; left--) {
    part("again").textContent = `${left} s`;
    const back = await Promise.race([
      new Promise((resolve) => setTimeout(resolve, 1000, false)),
      new Promise((resolve) => addEventListener("online", () => resolve(true), { once: true, signal })),
    ]);
    if (back) return;
  }
}

/** Says bytes, rate and time left; the rate is that of the last seconds. */
function meter(first) {
  const seen = [[performance.now(), first]];
  const size = part("bar").max;
  return (done) => {
    const now = performance.now();
    seen.push([now, done]);
    while (seen.length > 2 && now - seen[0][0] > RATE_OVER) seen.shift();
    const rate = (done - seen[0][1]) / Math.max(1, (now - seen[0][0]) / 1000);
    part("bar").value = done;
    part("done").textContent = bytes(done, size);
    part("rate").textContent = now - seen[0][0] > 1000 ? `${bytes(rate, size)} a second` : "";
    part("left").textContent = rate > 0 && now - seen[0][0] > 2000 ? `${duration((size - done) / rate)} left` : "";
  };
}

function show(chosen, size) {
  panel.hidden = false;
  form.hidden = true;
  part("name").textContent = chosen.map((file) => file.name).join(", ");
  part("bar").max = size;
  part("bar").value = 0;
  part("done").textContent = bytes(0, size);
  part("size").textContent = bytes(size);
  panel.querySelector("h2").focus();
}

/** All is there: the form goes on with the key of the upload in place of the files. */
function finish(key) {
  part("left").textContent = part("rate").textContent = "";
  part("done").textContent = part("size").textContent;
  part("over").hidden = false;
  part("stop").hidden = true;
  files.value = "";
  form.querySelector("[name=upload]").value = key;
  form.submit();
}

function refused(error) {
  away();
  refuse(error.message);
}

function refuse(words) {
  const note = document.getElementById("upload-refused");
  note.hidden = false;
  note.lastElementChild.textContent = words;
}

// Files may be dropped anywhere on the page: the browser would leave it for a file that missed the field.
const carriesFiles = (event) => form && !form.hidden && event.dataTransfer?.types.includes("Files");
const over = (is) => form.querySelector(".drop").classList.toggle("over", is);

document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  over(true);
});
document.addEventListener("dragleave", (event) => event.relatedTarget || (form && over(false)));
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  over(false);
  if ([...event.dataTransfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory)) return refuse("A folder cannot be sent as it is. Pack it into a .zip and drop that; nothing was sent.");
  document.getElementById("upload-refused").hidden = true;
  files.files = event.dataTransfer.files;
  files.focus();
});
if (form) form.querySelector("[data-part=drop]").hidden = false;

/** The upload that goes on is not half sent meanwhile. */
function halfSent(key) {
  for (const half of document.querySelectorAll("[data-upload]")) half.hidden = half.dataset.upload === key;
}

function away() {
  halfSent(null);
  stop = null;
  panel.hidden = true;
  form.hidden = false;
  lost(false);
}

if (panel) part("stop").addEventListener("click", () => stop?.abort());
// Coming back by the back button: what was on its way may be done by now.
addEventListener("pageshow", (event) => event.persisted && panel && location.reload());

const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);

/** In words, in the unit of what it is part of. */
function bytes(count, of = count) {
  const units = ["bytes", "kB", "MB", "GB"];
  let at = 0;
  for (; of >= 1000 && at < units.length - 1; at++) [count, of] = [count / 1000, of / 1000];
  return `${count.toFixed(at ? 1 : 0)} ${units[at]}`;
}

function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
