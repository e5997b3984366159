"use strict";
(() => {
  const all = (where, what) => Array.from(where.querySelectorAll(what));
  const make = (name, text, attributes = {}) => {
    const element = document.createElement(name);
    if (text !== null) element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const said = document.getElementById("said");
  const say = (text) => { said.textContent = ""; said.textContent = text; };

  // ---- copying

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // without permission, as in some mail programs
      const area = make("textarea", text, { readonly: "", class: "sr" });
      const before = document.activeElement;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      if (before) before.focus();
      if (!done) throw new Error("copying was refused");
    }
  };
  const copying = (label, text, told) => {
    const button = make("button", label, { type: "button" });
    button.addEventListener("click", () => {
      copy(text()).then(
        () => { button.textContent = "Copied"; say(told()); },
        () => { button.textContent = "Not copied"; say("The browser does not allow copying."); },
      ).finally(() => setTimeout(() => { button.textContent = label; }, 1600));
    });
    return button;
  };

  // ---- tables

  const plain = (cell) => {
    const parts = [];
    for (const node of cell.childNodes) if (node.nodeName !== "SUP") parts.push(node.textContent);
    return parts.join("").replace(/\s+/g, " ").trim();
  };
  const number = (text) => (text === "" ? NaN : Number(text.replace(/,/g, "").replace("−", "-")));
  const sortRows = (table, place, kind, down) => {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows).map((row, order) => {
      const text = plain(row.cells[place]);
      return { row, order, value: kind === "number" ? number(text) : text };
    });
    const lacks = (value) => value === "" || Number.isNaN(value);
    const words = new Intl.Collator("en", { numeric: true });
    rows.sort((a, b) => {
      if (lacks(a.value) || lacks(b.value)) return lacks(a.value) - lacks(b.value) || a.order - b.order;
      const far = kind === "number" ? a.value - b.value : words.compare(a.value, b.value);
      return (down ? -far : far) || a.order - b.order;
    });
    body.append(...rows.map((one) => one.row));
  };
  const asText = (table) => {
    const lines = [];
    for (const row of table.rows) {
      lines.push(Array.from(row.cells).map((cell) => {
        const name = cell.dataset.copy || plain(cell);
        const flag = cell.querySelector("sup");
        const value = cell.tagName === "TD" && /^[−\d,.]+$/.test(name) ? name.replace(/,/g, "").replace("−", "-") : name;
        return flag ? `${value} ${flag.textContent}` : value;
      }).join("\t"));
    }
    return lines.join("\n") + "\n";
  };
  const serveTable = (table) => {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, place) => {
      const label = head.querySelector("span");
      const unit = head.querySelector(".unit");
      head.dataset.copy = label.textContent + (unit ? ` [${unit.textContent}]` : "");
      const button = make("button", label.textContent, { type: "button" });
      label.before(button);
      label.className = "paper"; // heads that repeat on paper show no buttons
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((one) => one.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sortRows(table, place, head.dataset.kind, down);
        say(`Sorted by ${button.textContent}, ${down ? "descending" : "ascending"}.`);
      });
    });
    const tools = make("div", null, { class: "tools" });
    const rows = table.tBodies[0].rows.length;
    tools.append(copying("Copy table", () => asText(table), () => `${rows} rows copied.`));
    table.closest(".table").prepend(tools);
  };

  // ---- charts

  const theme = JSON.parse(document.getElementById("theme").textContent);
  const tip = document.getElementById("tip");
  const tooltip = (_handler, event, _item, value) => {
    if (value === null || value === undefined || value === "") { tip.hidden = true; return; }
    const pairs = typeof value === "object" ? Object.entries(value) : [["", value]];
    tip.replaceChildren(...pairs.map(([name, what]) => {
      const line = make("div", null);
      if (name) line.append(make("span", name));
      line.append(make("b", String(what)));
      return line;
    }));
    tip.hidden = false;
    const { clientWidth, clientHeight } = document.documentElement;
    const { width, height } = tip.getBoundingClientRect();
    const left = event.clientX + 14 + width > clientWidth ? event.clientX - width - 14 : event.clientX + 14;
    const top = event.clientY + 14 + height > clientHeight ? event.clientY - height - 14 : event.clientY + 14;
    tip.style.left = `${Math.max(left, 4)}px`;
    tip.style.top = `${Math.max(top, 4)}px`;
  };
  // the forms of cimis/pages/embedding.py
  const DAY_MS = 24 * 60 * 60 * 1000;
  const read = (column) => {
    if (column.all) return column.all;
    if (column.words) return column.at.map((place) => (place === null ? null : column.words[place]));
    if (column.days) {
      let day = 0;
      return column.days.map((more) => { day += more; return new Date(day * DAY_MS).toISOString().slice(0, 10); });
    }
    return new Array(column.n).fill(column.same);
  };
  const rowsOf = (packed) => {
    const columns = Object.fromEntries(Object.entries(packed.columns).map(([name, column]) => [name, read(column)]));
    packed.columns = columns;
    const names = Object.keys(columns);
    const count = names.length ? columns[names[0]].length : 0;
    const rows = new Array(count);
    for (let place = 0; place < count; place += 1) {
      const row = {};
      for (const name of names) row[name] = columns[name][place];
      rows[place] = row;
    }
    return rows;
  };
  // beside the plot of a panel: the axis with its title
  const BESIDE = 64;
  const sizes = (spec, kind, width, height) => {
    const panels = spec.vconcat || [];
    const across = (spec.hconcat || []).length || 1;
    const beside = kind === "gaps" && panels.length ? 32 : BESIDE;
    const room = Math.max(Math.floor((width - beside) / across), 60);
    const view = { continuousWidth: room, continuousHeight: Math.max(Math.floor(height / (panels.length || 1)), 20) };
    if (kind === "gaps") {
      view.discreteWidth = { step: panels.length ? room / 54 : 14 };
      view.discreteHeight = panels.length ? { step: Math.min(Math.max(room / 54, 9), 16) } : { step: 14 };
      if (!panels.length) view.continuousWidth = room - 70;
    }
    return view;
  };
  const sized = (spec, kind, width, height) => {
    const several = spec.vconcat || spec.hconcat || spec.concat || spec.spec;
    if (several || kind === "gaps" || spec.width) return spec;
    return { ...spec, width, height, autosize: { type: "fit", contains: "padding" } };
  };
  // what the pointer meets is as wide as a day is on this screen
  const widened = (part, across) => {
    const found = { ...part };
    for (const name of ["layer", "vconcat", "hconcat"]) if (found[name]) found[name] = found[name].map((one) => widened(one, across));
    if (found.mark && found.mark.type === "rule" && found.mark.opacity === 0) found.mark = { ...found.mark, strokeWidth: across };
    return found;
  };
  const draw = (figure, known) => {
    const canvas = figure.querySelector(".canvas");
    const kind = figure.dataset.kind;
    const { spec, height } = known.data;
    const width = Math.floor(Math.min(canvas.clientWidth, Number(figure.dataset.narrow) || Infinity));
    if (width === known.width || width < 40) return;
    known.width = width;
    const config = vega.mergeConfig({}, theme, spec.config || {}, { view: sizes(spec, kind, width, height) });
    const compiled = vegaLite.compile({
      ...widened(sized(spec, kind, width, height), Math.max(Math.ceil(width / known.times), 2)),
      data: spec.data || { name: "rows" },
      datasets: { ...(spec.datasets || {}), rows: known.rows },
      config,
    }).spec;
    const view = new vega.View(vega.parse(compiled, {}, { ast: true }), {
      expr: expressionInterpreter, renderer: "svg", hover: true, tooltip, logLevel: vega.Error,
    });
    if (known.view) known.view.finalize();
    known.view = view;
    view.initialize(canvas).runAsync().then(
      () => { figure.dataset.drawn = "yes"; canvas.style.minHeight = ""; },
      (error) => { figure.dataset.drawn = "no"; console.error(error); },
    );
  };
  const figuresOf = (known) => {
    const { columns, dates } = known.data;
    const names = Object.keys(columns);
    const wrap = make("div", null, { class: "table tall" });
    const scroll = make("div", null, { class: "scroll", tabindex: "0", role: "region", "aria-label": "Figures of the chart" });
    const table = make("table", null);
    const head = table.createTHead().insertRow();
    const kind = (name) => (dates.includes(name) ? "date" : columns[name].some((v) => typeof v === "number") ? "number" : "text");
    const kinds = names.map(kind);
    names.forEach((name, place) => {
      const cell = make("th", null, { scope: "col", "data-kind": kinds[place] });
      cell.append(make("span", name.replaceAll("_", " ")));
      head.append(cell);
    });
    const body = table.createTBody();
    for (const row of known.rows) {
      const line = body.insertRow();
      names.forEach((name, place) => {
        const cell = line.insertCell();
        cell.textContent = row[name] === null ? "" : String(row[name]).replace("T00:00:00", "");
        if (kinds[place] !== "number") cell.className = "text";
      });
    }
    scroll.append(table);
    wrap.append(scroll);
    return { wrap, table };
  };
  const serveFigure = (figure) => {
    const data = JSON.parse(figure.querySelector("script.data").textContent);
    const rows = rowsOf(data);
    const known = { data, rows, times: new Set(rows.map((row) => row.time)).size, width: 0, view: null };
    figure.querySelector(".canvas").style.minHeight = `${data.height}px`;
    const details = make("details", null, { class: "figures" });
    details.append(make("summary", `Figures of this chart (${known.rows.length.toLocaleString("en")} row${known.rows.length === 1 ? "" : "s"})`));
    details.addEventListener("toggle", () => {
      if (!details.open || details.querySelector("table")) return;
      const { wrap, table } = figuresOf(known);
      details.append(wrap);
      serveTable(table);
    });
    figure.append(details);
    const again = () => {
      try { draw(figure, known); } catch (error) { figure.dataset.drawn = "no"; console.error(error); }
    };
    again();
    return again;
  };

  all(document, ".table table").forEach(serveTable);
  all(document, ".commands li").forEach((line) => {
    const code = line.querySelector("code");
    line.querySelector("div").append(copying("Copy command", () => code.textContent, () => "Command copied."));
  });
  const figures = all(document, "figure.chart").map(serveFigure);
  let waiting = 0;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => figures.forEach((again) => again()), 120);
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
  window.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true, capture: true });
})();
