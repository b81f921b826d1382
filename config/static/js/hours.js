// The week's opening hours as a picture that can be dragged. It holds nothing of its own: it
// reads the times from the fields below it and writes them there.
"use strict";

(function () {
  const root = document.querySelector("[data-week-hours]");
  if (!root) {
    return;
  }
  const picture = root.querySelector("svg");
  const form = root.closest("form");
  const said = form.querySelector("[data-hours-said]");
  const DAY = 1440;
  const SNAP = 30;
  const EDGE = 8; // pixels from an end of a window that take hold of that end
  const SVG = "http://www.w3.org/2000/svg";

  function minuteOf(text) {
    const match = /^\s*(\d{1,2})(?:[:：.](\d{2}))?\s*$/.exec(text);
    const minute = match ? Number(match[1]) * 60 + Number(match[2] || 0) : NaN;
    return minute <= DAY ? minute : NaN;
  }
  const clock = (minute) =>
    `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

  // Each pair of fields: `{day, opens, closes}`, day 0 being Monday.
  const pairs = [...form.querySelectorAll("input[name^=day_][name$=_opens]")].map((opens) => ({
    day: Number(opens.name.split("_")[1]) - 1,
    opens,
    closes: form.querySelector(`input[name="${opens.name.replace("_opens", "_closes")}"]`),
  }));

  // The windows that the fields say: one past midnight ends after 1440.
  function windows() {
    return pairs.flatMap((pair) => {
      const from = minuteOf(pair.opens.value);
      const until = minuteOf(pair.closes.value);
      if (Number.isNaN(from) || Number.isNaN(until) || from >= DAY) {
        return [];
      }
      return [{ pair, day: pair.day, from, until: until > from ? until : until + DAY }];
    });
  }

  function write(pair, from, until) {
    pair.opens.value = until > from ? clock(from) : "";
    pair.closes.value = until > from ? clock(until > DAY ? until - DAY : until) : "";
  }

  // The parts of a window that lie on each day.
  function parts({ day, from, until }) {
    const first = { day, from, until: Math.min(until, DAY) };
    return until > DAY ? [first, { day: (day + 1) % 7, from: 0, until: until - DAY }] : [first];
  }

  function shape(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) {
      made.setAttribute(key, value);
    }
    made.textContent = text || "";
    return made;
  }
  const across = (day) => `${((day / 7) * 100).toFixed(3)}%`;
  const down = (minute) => `${((minute / DAY) * 100).toFixed(3)}%`;

  function draw() {
    const height = picture.getBoundingClientRect().height || 384;
    const drawn = windows().flatMap((each) => parts(each).flatMap((part, index) => {
      const pixels = ((part.until - part.from) / DAY) * height;
      const middle = across(part.day + 0.5);
      const shapes = [shape("rect", {
        class: "open-part", x: across(part.day), width: "14.286%", y: down(part.from), height: down(part.until - part.from),
      })];
      if (pixels > 34) {
        shapes.push(shape("text", { x: middle, y: down(part.from), dy: 14 }, clock(part.from)));
        shapes.push(shape("text", { x: middle, y: down(part.until), dy: -6 }, clock(part.until)));
      } else if (pixels > 14) {
        shapes.push(shape("text", { x: middle, y: down(part.from), dy: 12 }, clock(part.from)));
      }
      if (index === 0) {
        const remove = shape("text", { class: "open-remove", x: across(part.day + 1), y: down(part.from), dx: -9, dy: 14 }, "×");
        remove.append(shape("title", {}, root.dataset.remove));
        remove.pair = each.pair;
        shapes.push(remove);
      }
      return shapes;
    }));
    picture.replaceChildren(...drawn);
  }

  function changed() {
    draw();
    pairs[0].opens.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function place(event) {
    const box = picture.getBoundingClientRect();
    const x = Math.min(Math.max(event.clientX - box.left, 0), box.width - 1);
    const y = Math.min(Math.max(event.clientY - box.top, 0), box.height);
    return { day: Math.floor((x / box.width) * 7), minute: (y / box.height) * DAY, edge: (EDGE / box.height) * DAY };
  }
  const snapped = (minute) => Math.round(minute / SNAP) * SNAP;

  // What lies under the pointer: the window, and which part of it is held.
  function under({ day, minute, edge }) {
    for (const window of windows()) {
      for (const [index, part] of parts(window).entries()) {
        if (part.day === day && part.from - edge <= minute && minute <= part.until + edge) {
          const shift = index ? DAY : 0;
          const last = parts(window).length - 1;
          const hold = index === 0 && minute < part.from + edge ? "from"
            : index === last && minute > part.until - edge ? "until" : "both";
          return { ...window, hold, at: minute + shift };
        }
      }
    }
    return null;
  }

  // How far a window may reach without meeting another of the same day.
  function room(pair, day, minute) {
    const others = windows().filter((each) => each.pair !== pair)
      .flatMap(parts).filter((part) => part.day === day);
    return [
      Math.max(0, ...others.filter((part) => part.until <= minute).map((part) => part.until)),
      Math.min(DAY, ...others.filter((part) => part.from >= minute).map((part) => part.from)),
    ];
  }

  let held = null;

  picture.addEventListener("pointerdown", function (event) {
    if (event.button || event.pointerType === "touch") {
      return; // a finger scrolls; the fields are below
    }
    if (event.target.pair) {
      write(event.target.pair, 0, 0);
      changed();
      return;
    }
    const at = place(event);
    const found = under(at);
    if (found) {
      held = { ...found, moved: false };
    } else {
      const free = pairs.find((pair) => pair.day === at.day && !pair.opens.value && !pair.closes.value);
      if (!free) {
        said.textContent = root.dataset.full;
        said.classList.remove("visually-hidden");
        return;
      }
      const start = Math.floor(at.minute / SNAP) * SNAP;
      held = { pair: free, day: at.day, from: start, until: start, hold: "new", at: start, moved: false };
    }
    picture.setPointerCapture(event.pointerId);
    event.preventDefault();
  });

  picture.addEventListener("pointermove", function (event) {
    const at = place(event);
    if (!held) {
      const found = under(at);
      picture.dataset.hold = found ? found.hold : "new";
      return;
    }
    let minute = at.minute;
    if (held.until > DAY && at.day !== held.day) {
      minute += DAY;
    }
    let { from, until } = held;
    const [least, most] = held.until > DAY ? [0, 2 * DAY] : room(held.pair, held.day, held.hold === "new" ? held.at : held.from);
    if (held.hold === "new") {
      const now = snapped(minute);
      [from, until] = now >= held.at ? [held.at, Math.min(now, most)] : [Math.max(now, least), held.at + SNAP];
    } else if (held.hold === "from") {
      from = Math.max(least, Math.min(snapped(minute), until - SNAP));
    } else if (held.hold === "until") {
      until = Math.min(most, Math.max(snapped(minute), from + SNAP));
    } else {
      const by = Math.max(least - from, Math.min(most - until, snapped(minute - held.at)));
      from += by;
      until += by;
    }
    if (from !== held.from || until !== held.until || held.hold === "new") {
      held.moved = true;
      write(held.pair, from, until);
      draw();
    }
  });

  picture.addEventListener("pointerup", function () {
    if (!held) {
      return;
    }
    const { pair, moved, hold } = held;
    held = null;
    if (moved) {
      changed();
    } else if (hold !== "new") {
      pair.opens.focus();
      pair.opens.select();
    }
  });
  picture.addEventListener("pointercancel", function () { held = null; });
  form.addEventListener("input", draw);
  window.addEventListener("resize", draw);
  root.classList.add("is-live");
  draw();
})();
