// Uploads of results by the tus protocol: files and whole folders, one file after the other, in
// pieces of 16 MiB that each bring their checksum. What broke off goes on where the server says it
// stands, also on another day or another machine.
"use strict";

(function () {
  const root = document.getElementById("uploads");
  if (!root) {
    return;
  }
  const words = root.dataset;
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  if (!window.tus) {
    part("lost").hidden = false;
    return;
  }
  const PIECE = 16 * 1024 * 1024;
  const WHOLE = 4 * PIECE; // up to which the checksum of a file is stated before it is sent
  const PATIENCE = [0, 1000, 3000, 5000, 10000, 30000, 60000, 60000, 60000];
  const queue = [], failed = [];
  let upload = null, isPaused = false, isBusy = false;
  let done = 0, doneBytes = 0, allBytes = 0, all = 0;

  const digestOf = async (blob) => window.crypto.subtle
    ? new Uint8Array(await window.crypto.subtle.digest("SHA-256", await blob.arrayBuffer())) : null;
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

  // What the server has of each path.
  async function there() {
    const files = new Map();
    let address = words.files;
    while (address) {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (!answer.ok) {
        throw new Error(words.failed);
      }
      const page = await answer.json();
      page.results.forEach((file) => files.set(file.path, file));
      address = page.next;
    }
    return files;
  }

  function show(sent) {
    const bytes = doneBytes + (sent || 0);
    part("all").max = Math.max(1, allBytes);
    part("all").value = allBytes ? bytes : 1;
    part("count").textContent = words.count.replace("{done}", done).replace("{all}", all);
    part("progress").hidden = all === 0;
    part("pause").hidden = !isBusy;
    part("finished").hidden = isBusy || all === 0 || done < all;
  }

  function problem(item, text) {
    const line = document.createElement("li");
    line.textContent = `${item.path}${words.colon}${text} `;
    part("problems").append(line);
    failed.push(item);
    part("problems-box").hidden = false;
  }

  // Reads a file piece by piece; the checksum of the last piece goes with the request that has it.
  function readerOf(digests) {
    return {
      openFile: async (file) => ({
        size: file.size,
        slice: async function (start, end) {
          const value = file.slice(start, Math.min(end, file.size));
          digests.last = await digestOf(value);
          return { value, done: end >= file.size };
        },
        close: function () { /* nothing is held */ },
      }),
    };
  }

  function send(item, url) {
    return new Promise(function (resolve, reject) {
      const digests = { last: null };
      upload = new window.tus.Upload(item.file, {
        endpoint: words.endpoint,
        uploadUrl: url ? new URL(url, new URL(words.endpoint, window.location)).href : null,
        uploadDataDuringCreation: true,
        chunkSize: PIECE,
        retryDelays: PATIENCE,
        storeFingerprintForResuming: false,
        fileReader: readerOf(digests),
        headers: { "X-CSRFToken": root.querySelector("[name=csrfmiddlewaretoken]").value },
        metadata: { hand_off: words.handOff, path: item.path, sha256: item.sha256 },
        onBeforeRequest: function (request) {
          request.getUnderlyingObject().withCredentials = true;
          if (digests.last && request.getMethod() !== "HEAD") {
            const text = window.btoa(String.fromCharCode(...digests.last));
            request.setHeader("Upload-Checksum", `sha256 ${text}`);
          }
          digests.last = null;
        },
        onShouldRetry: function (error) {
          const status = error.originalResponse ? error.originalResponse.getStatus() : 0;
          const again = status === 0 || status >= 500 || [423, 429, 460].includes(status) ||
            (status === 409 && Boolean(upload.url));
          part("away").hidden = !again || isPaused;
          return again;
        },
        onProgress: function (sent) {
          part("away").hidden = true;
          show(sent);
        },
        onSuccess: resolve,
        onError: reject,
      });
      upload.start();
    });
  }

  function codeOf(error) {
    try {
      return JSON.parse(error.originalResponse.getBody());
    } catch (failed) {
      return {};
    }
  }

  async function begin(item) {
    let known = (await item.known).get(item.path);
    const isSame = (file) => file.size === item.file.size;
    if (known && known.state !== "uploading") {
      if (!isSame(known)) {
        throw new Error(words.taken);
      }
      return;
    }
    if (known && !isSame(known)) {
      throw new Error(words.taken);
    }
    const digest = item.file.size <= WHOLE ? await digestOf(item.file) : null;
    item.sha256 = digest ? hex(digest) : "";
    try {
      await send(item, known && known.upload);
    } catch (error) {
      const said = codeOf(error);
      // It was begun before the answer was lost: go on with it.
      known = said.code === "path-taken" && (await there()).get(item.path);
      if (!known || known.state !== "uploading" || !isSame(known)) {
        throw new Error(said.detail || (error.originalResponse ? words.failed : words.silent));
      }
      await send(item, known.upload);
    }
  }

  async function work() {
    if (isBusy) {
      return;
    }
    isBusy = true;
    for (let item = queue.shift(); item; item = queue.shift()) {
      part("now").textContent = item.path;
      show(0);
      try {
        await begin(item);
        done += 1;
        doneBytes += item.file.size;
      } catch (error) {
        all -= 1;
        allBytes -= item.file.size;
        problem(item, error instanceof TypeError ? words.silent : error.message);
      }
      part("away").hidden = true;
    }
    isBusy = false;
    part("now").textContent = "";
    show(0);
  }

  function add(items) {
    part("problems").replaceChildren();
    failed.length = 0;
    part("problems-box").hidden = true;
    const known = there();
    known.catch(() => { /* said of each file */ });
    for (const item of items) {
      queue.push({ ...item, known });
      all += 1;
      allBytes += item.file.size;
    }
    work();
  }

  function choose(files) {
    add(files.map((file) => ({ file, path: (file.webkitRelativePath || file.name).normalize("NFC") })));
  }

  function take(input) {
    choose(Array.from(input.files));
    input.value = "";
  }

  root.addEventListener("change", function (event) {
    if (event.target.matches("input[type=file]")) {
      take(event.target);
    }
  });
  // Chosen before this script had come.
  root.querySelectorAll("input[type=file]").forEach(function (input) {
    if (input.files.length) {
      take(input);
    }
  });
  root.addEventListener("dragover", (event) => event.preventDefault());
  root.addEventListener("drop", function (event) {
    event.preventDefault();
    choose(Array.from(event.dataTransfer.files));
  });
  part("pause").addEventListener("click", function () {
    isPaused = !isPaused;
    part("pause").textContent = isPaused ? words.go : words.pause;
    if (isPaused) {
      upload.abort();
    } else {
      upload.start();
    }
  });
  part("again").addEventListener("click", () => add(failed.slice()));
  // Now, instead of after the pause between two attempts.
  part("now-again").addEventListener("click", async function () {
    part("away").hidden = true;
    await upload.abort();
    upload.start();
  });
  window.addEventListener("beforeunload", function (event) {
    if (isBusy) {
      event.preventDefault();
    }
  });
})();
