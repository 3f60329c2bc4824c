// Linked zoom for the timelines of a report: one window of time for all of them.
//
// Each figure holds a picture that says everything without this script, and its figures as JSON. The groups and data-
// attributes of the picture are written by src/report/charts/timelines/draw.rs. Drawn again is only what depends on the
// window; over the whole run the picture is the one that was written.
(() => {
  'use strict';

  const charts = [...document.querySelectorAll('figure.timeline')].map(read).filter(Boolean);
  if (!charts.length) return;
  const end = Math.max(...charts.map((chart) => chart.data.end));
  const shown = { from: 0, to: end };
  let cursor = null;
  document.documentElement.classList.add('zoomable');
  const status = tools(document.getElementById('timeline-tools'));

  function read(figure) {
    const svg = figure.querySelector('svg');
    const text = figure.querySelector('script[type="application/json"]');
    if (!svg || !text) return null;
    const data = JSON.parse(text.textContent);
    const panels = [...svg.querySelectorAll('.t-panel')];
    const chart = {
      figure, svg, data, panels,
      time: svg.querySelector('.t-time'),
      bands: [...svg.querySelectorAll('.t-bands > g')],
      marks: [...svg.querySelectorAll('.t-marks > path')],
      readout: figure.querySelector('.readout'),
      whole: panels.map((panel) => ({
        grid: panel.querySelector('.t-grid').innerHTML,
        paths: [...panel.querySelectorAll('path[data-series], path[data-limit]')].map((path) => [path, path.getAttribute('d'), path.classList.contains('range')]),
      })),
    };
    chart.wholeTime = chart.time.innerHTML;
    const last = data.panels[data.panels.length - 1].top + data.height;
    chart.cross = element(svg, 'path', { class: 't-cross', d: `M0 ${data.panels[0].top}V${last}`, visibility: 'hidden' });
    chart.selection = element(svg, 'rect', { class: 't-selection', y: data.panels[0].top, height: last - data.panels[0].top, visibility: 'hidden' });
    svg.append(chart.selection, chart.cross);
    listen(chart);
    return chart;
  }

  function element(svg, name, attributes, text) {
    const made = document.createElementNS(svg.namespaceURI, name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // --- numbers and times in words, as the rest of the page writes them ---

  const grouped = (number, decimals) =>
    number.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  const digits = (value) => (value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0));

  function clock(seconds) {
    const total = Math.max(0, Math.floor(seconds + 1e-6));
    const two = (number) => String(number).padStart(2, '0');
    const days = Math.floor(total / 86400);
    const time = [Math.floor(total / 3600) % 24, Math.floor(total / 60) % 60, total % 60].map(two).join(':');
    return days ? `${days}d ${time}` : time;
  }

  function latency(seconds) {
    if (seconds < 1e-3) return `${digits(seconds * 1e6)} µs`;
    if (seconds < 0.9995) return `${digits(seconds * 1e3)} ms`;
    if (seconds < 600) return `${digits(seconds)} s`;
    return seconds < 36000 ? `${digits(seconds / 60)} min` : `${digits(seconds / 3600)} h`;
  }

  const write = {
    rate: (value) => `${grouped(value, value < 100 ? 2 : 0)}/s`,
    replicas: (value) => grouped(value, value === Math.round(value) ? 0 : 1),
    latency,
    share: (value) => `${(value * 100).toFixed(1)}%`,
  };

  // --- axes ---

  function step(atLeast) {
    const power = 10 ** Math.floor(Math.log10(atLeast));
    return power * ([1, 2, 5].find((mantissa) => mantissa * power >= atLeast * (1 - 1e-9)) || 10);
  }

  function linear(high, wanted, label) {
    const top = high > 0 ? high * 1.05 : 1;
    const by = step(top / (wanted + 0.5));
    const decimals = by < 1 ? Math.ceil(-Math.log10(by) - 1e-9) : 0;
    const ticks = [];
    for (let i = 0; i * by <= top * (1 + 1e-9); i += 1) ticks.push([i * by, label(i * by, decimals)]);
    return { place: (value) => Math.min(Math.max(value / top, 0), 1), ticks };
  }

  function logarithmic(low, high) {
    if (!(low > 0 && low <= high)) return logarithmic(0.001, 1);
    const sets = [[1, 2, 5], [1, 3], [1]].map((mantissas) => {
      const all = [];
      for (let power = -9; power < 9; power += 1) for (const mantissa of mantissas) all.push(mantissa * 10 ** power);
      const first = all.findLastIndex((value) => value <= low * (1 + 1e-9));
      const last = all.findIndex((value) => value >= high * (1 - 1e-9));
      return all.slice(Math.max(first, 0), Math.max(last, first + 1) + 1);
    });
    const values = sets.find((set) => set.length <= 4) || sets[2];
    const skip = Math.ceil(values.length / 4);
    const unit = (value) =>
      value < 0.999e-3 ? `${Math.round(value * 1e6)} µs` : value < 0.999 ? `${Math.round(value * 1e3)} ms` : `${Math.round(value)} s`;
    const [from, to] = [Math.log10(values[0]), Math.log10(values[values.length - 1])];
    return {
      place: (value) => Math.min(Math.max((Math.log10(value) - from) / (to - from), 0), 1),
      ticks: values.map((value, index) => [value, index % skip ? '' : unit(value)]),
    };
  }

  // Seconds since 1970 by the clock of the run's zone, which may be changed during the run.
  function local(time, seconds) {
    const shift = time.shifts.reduce((last, [at, by]) => (at <= seconds + 1e-6 ? by : last), 0);
    return time.start + seconds + shift;
  }

  const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

  function day(seconds) {
    const date = new Date(seconds * 1000);
    return `${date.getUTCDate()} ${months[date.getUTCMonth()]}`;
  }

  // A moment as the rest of the page writes it: by the calendar where that is known.
  function moment(time, seconds) {
    if (!time) return clock(seconds);
    const at = local(time, Math.max(0, Math.floor(seconds + 1e-6)));
    return `${day(at)} ${new Date(at * 1000).toISOString().slice(11, 19)}`;
  }

  // A tick: the time of day, and the day where it begins.
  function calendar(seconds) {
    return seconds % 86400 === 0 ? day(seconds) : new Date(seconds * 1000).toISOString().slice(11, seconds % 60 === 0 ? 16 : 19);
  }

  function times(time) {
    const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];
    const span = shown.to - shown.from;
    const by = steps.find((length) => span / length <= 9) || step(span / 9);
    const ticks = [];
    if (time && by >= 1) {
      for (let i = Math.ceil(local(time, shown.from) / by - 1e-9); i * by <= local(time, shown.to) + 1e-9; i += 1) {
        const guess = i * by - time.start;
        const at = guess - (local(time, guess) - time.start - guess);
        if (at >= shown.from - 1e-6 && at <= shown.to + 1e-6) ticks.push([at, calendar(i * by)]);
      }
      return ticks;
    }
    for (let i = Math.ceil(shown.from / by - 1e-9); i * by <= shown.to + 1e-9; i += 1) {
      const at = i * by;
      ticks.push([at, by < 1 ? `${moment(time, at)}${(at % 1).toFixed(1).slice(1)}` : clock(at)]);
    }
    return ticks;
  }

  function timeTitle(time) {
    if (!time) return 'time since the start';
    return `time (${time.zone}), from ${new Date(local(time, Math.floor(shown.from + 1e-6)) * 1000).toISOString().slice(0, 10)}`;
  }

  // --- rows ---

  // The first and one past the last row that the window shows.
  function visible(edges) {
    let first = 0;
    while (first < edges.length - 2 && edges[first + 1] <= shown.from) first += 1;
    let last = first + 1;
    while (last < edges.length - 1 && edges[last] < shown.to) last += 1;
    return [first, last];
  }

  function rowAt(edges, at) {
    let low = 0;
    let high = edges.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (edges[middle] <= at) low = middle; else high = middle - 1;
    }
    return low;
  }

  const below = (panel, series, row) => (panel.series[series].kind === 'stacked' ? panel.series[series - 1].high[row] || 0 : 0);
  // The upper end of a row; a stacked series of joined intervals has the sum with the series below it already.
  const top = (chart, panel, series, row) => panel.series[series].high[row] + (chart.data.each > 1 ? 0 : below(panel, series, row));

  function axis(chart, panel, [first, last]) {
    if (panel.measure === 'share') return linear(1, 2, (value) => `${Math.round(value * 100)}%`);
    let low = Number.MAX_VALUE;
    let high = 0;
    panel.series.forEach((series, index) => {
      for (let row = first; row < last; row += 1) {
        if (series.high[row] === null) continue;
        high = Math.max(high, top(chart, panel, index, row));
        low = Math.min(low, (series.low || series.high)[row]);
      }
    });
    // Above the replicas lie the marks of decisions.
    if (panel.measure !== 'latency') return linear(panel.measure === 'replicas' ? high * 1.09 : high, 2, grouped);
    return logarithmic(Math.min(low, ...panel.limits), Math.max(high, ...panel.limits));
  }

  // Straight pieces between points, cut at the ends of the window.
  function cut(points) {
    const inside = [];
    points.forEach(([x, y], index) => {
      const [px, py] = points[index - 1] || [x, y];
      for (const bound of [shown.from, shown.to]) {
        if (px < bound && x > bound) inside.push([bound, py + ((y - py) * (bound - px)) / (x - px)]);
      }
      if (x >= shown.from && x <= shown.to) inside.push([x, y]);
    });
    return inside;
  }

  function path(chart, panel, index, y, [first, last]) {
    const { edges } = chart.data;
    const series = panel.series[index];
    const surface = series.kind === 'area' || series.kind === 'stacked';
    const put = (at, up) => `${across(chart, at).toFixed(1)} ${up.toFixed(1)}`;
    const clamp = (at) => Math.min(Math.max(at, shown.from), shown.to);
    const drawn = (row) => (surface ? series.high[row] !== null && top(chart, panel, index, row) > below(panel, index, row) : series.high[row] !== null);
    let data = '';
    // A line needs its neighbours outside the window, to whose middles it runs.
    const beyond = surface || (series.kind === 'steps' && !series.low) ? 0 : 1;
    const stop = Math.min(last + beyond, edges.length - 1);
    for (let row = Math.max(first - beyond, 0); row < stop; row += 1) {
      if (!drawn(row)) continue;
      const begin = row;
      while (row < stop && drawn(row)) row += 1;
      const points = [];
      const under = [];
      for (let at = begin; at < row; at += 1) {
        const [from, to, value] = [edges[at], edges[at + 1], series.high[at]];
        const low = series.low ? series.low[at] : value;
        if (surface) points.push([clamp(from), y(top(chart, panel, index, at))], [clamp(to), y(top(chart, panel, index, at))]);
        else if (series.kind === 'steps' && !series.low) points.push([clamp(from), y(value)], [clamp(to), y(value)]);
        else if (row - begin === 1) { points.push([from, y(value)], [to, y(value)]); under.push([from, y(low)], [to, y(low)]); }
        else { points.push([(from + to) / 2, y(value)]); under.push([(from + to) / 2, y(low)]); }
      }
      if (surface) {
        for (let at = row - 1; at >= begin; at -= 1) {
          const base = y(below(panel, index, at));
          points.push([clamp(edges[at + 1]), base], [clamp(edges[at]), base]);
        }
      }
      const inside = surface ? points : cut(points);
      // Joined rows are a band.
      if (series.low) inside.push(...cut(under).reverse());
      if (inside.length) data += `M${inside.map(([at, up]) => put(at, up)).join('L')}${surface || series.low ? 'Z' : ''}`;
    }
    return data;
  }

  // --- drawing ---

  function across(chart, at) {
    const { left, right } = chart.data;
    return left + ((at - shown.from) / (shown.to - shown.from)) * (right - left);
  }

  // A band is filled; a line that were filled would look like one.
  function fill(shape, band) {
    if (shape.getAttribute('fill-opacity') === null) return;
    shape.classList.toggle('range', band);
    shape.setAttribute('fill', band ? shape.getAttribute('stroke') : 'none');
    shape.setAttribute('stroke-width', band ? 0.8 : 1.4);
  }

  function draw(chart) {
    const whole = shown.from === 0 && shown.to === end;
    const { left, right, height, edges } = chart.data;
    const rows = visible(edges);
    const ticks = times(chart.data.clock);
    chart.data.panels.forEach((panel, index) => {
      const kept = chart.whole[index];
      const grid = chart.panels[index].querySelector('.t-grid');
      if (whole) {
        grid.innerHTML = kept.grid;
        kept.paths.forEach(([line, data, band]) => { line.setAttribute('d', data); fill(line, band); });
        return;
      }
      const scale = axis(chart, panel, rows);
      const y = (value) => panel.top + height * (1 - scale.place(value));
      const line = (data) => element(chart.svg, 'path', { class: 'c-grid', d: data, fill: 'none', stroke: '#e3e3e3' });
      grid.replaceChildren(
        ...scale.ticks.map(([value]) => line(`M${left} ${y(value).toFixed(1)}H${right}`)),
        ...ticks.map(([at]) => line(`M${across(chart, at).toFixed(1)} ${panel.top}v${height}`)),
        ...scale.ticks.map(([value, words]) => element(chart.svg, 'text',
          { class: 'c-axisf', x: left - 8, y: y(value) + 4, 'font-size': 12, 'text-anchor': 'end', fill: '#595959' }, words)),
      );
      kept.paths.forEach(([shape, , band]) => {
        const { series, limit } = shape.dataset;
        // Behind a picture of bands may lie the intervals themselves, which are lines.
        if (band) fill(shape, Boolean(panel.series[Number(series)].low));
        const at = limit === undefined ? 0 : y(Number(limit)).toFixed(1);
        shape.setAttribute('d', limit === undefined ? path(chart, panel, Number(series), y, rows) : `M${left} ${at}H${right}`);
      });
    });
    if (whole) {
      chart.time.innerHTML = chart.wholeTime;
    } else {
      const bottom = chart.data.panels[chart.data.panels.length - 1].top + height;
      const text = (x, down, words) => element(chart.svg, 'text',
        { class: 'c-axisf', x, y: bottom + down, 'font-size': 12, 'text-anchor': 'middle', fill: '#595959' }, words);
      chart.time.replaceChildren(
        ...ticks.map(([at, words]) => text(across(chart, at), 17, words)),
        text((left + right) / 2, 37, timeTitle(chart.data.clock)),
      );
    }
    chart.bands.forEach((band) => {
      const [from, to] = [band.dataset.from, band.dataset.to].map((at) => Math.min(Math.max(Number(at), shown.from), shown.to));
      const [rect, words] = [band.querySelector('rect'), band.querySelector('text')];
      rect.setAttribute('x', across(chart, from));
      rect.setAttribute('width', Math.max(across(chart, to) - across(chart, from), 0));
      words.setAttribute('x', across(chart, from) + 3);
      band.setAttribute('visibility', to > from ? 'visible' : 'hidden');
    });
    chart.marks.forEach((mark) => {
      const at = Number(mark.dataset.at);
      mark.setAttribute('transform', `translate(${across(chart, at).toFixed(1)} ${chart.data.panels[1].top})`);
      mark.setAttribute('visibility', at >= shown.from && at <= shown.to ? 'visible' : 'hidden');
    });
  }

  function show(from, to) {
    const span = Math.min(Math.max(to - from, end / 2000), end);
    shown.from = Math.min(Math.max(from, 0), end - span);
    shown.to = shown.from + span;
    if (span > end * 0.9999) [shown.from, shown.to] = [0, end];
    charts.forEach(draw);
    point(cursor);
    const whole = shown.from === 0 && shown.to === end;
    const time = charts[0].data.clock;
    status.textContent = whole ? `Whole run, ${clock(end)}` : `Shown: ${moment(time, shown.from)} to ${moment(time, shown.to)}`;
    document.documentElement.classList.toggle('zoomed', !whole);
  }

  function zoom(factor) {
    const middle = cursor !== null && cursor >= shown.from && cursor <= shown.to ? cursor : (shown.from + shown.to) / 2;
    const share = (middle - shown.from) / (shown.to - shown.from);
    const span = Math.min((shown.to - shown.from) * factor, end);
    show(middle - share * span, middle + (1 - share) * span);
  }

  function pan(share) {
    const by = (shown.to - shown.from) * share;
    show(shown.from + by, shown.to + by);
  }

  // --- the cursor and what it reads ---

  function point(at) {
    cursor = at;
    charts.forEach((chart) => {
      const seen = at !== null && at >= shown.from && at <= shown.to;
      chart.cross.setAttribute('visibility', seen ? 'visible' : 'hidden');
      if (seen) chart.cross.setAttribute('transform', `translate(${across(chart, at).toFixed(1)} 0)`);
      chart.readout.textContent = seen ? words(chart, at) : ' ';
    });
  }

  function words(chart, at) {
    const { edges, panels } = chart.data;
    const row = rowAt(edges, at);
    const said = [`${moment(chart.data.clock, edges[row])} to ${moment(chart.data.clock, edges[row + 1])}`];
    panels.forEach((panel) => panel.series.forEach((series, index) => {
      const [low, high] = [(series.low || series.high)[row], series.high[row]];
      if (high === null || high === undefined) return;
      const value = write[panel.measure];
      const joined = chart.data.each > 1;
      const most = joined && !series.low ? 'up to ' : '';
      const name = joined && series.kind === 'stacked' ? `${panel.series[index - 1].name} and ${series.name}` : series.name;
      said.push(`${name} ${low === high ? most + value(high) : `${value(low)} to ${value(high)}`}`);
    }));
    const near = (shown.to - shown.from) / 110;
    const mark = chart.marks.filter((one) => Math.abs(Number(one.dataset.at) - at) <= near)
      .sort((a, b) => Math.abs(a.dataset.at - at) - Math.abs(b.dataset.at - at))[0];
    if (mark) said.push(`decision ${mark.querySelector('title').textContent}`);
    chart.bands.filter((band) => Number(band.dataset.from) <= at && at < Number(band.dataset.to))
      .forEach((band) => said.push(band.querySelector('title').textContent));
    return said.join(' · ');
  }

  // --- pointer, keys, buttons ---

  function timeOf(chart, event) {
    const box = chart.svg.getBoundingClientRect();
    const { left, right } = chart.data;
    const x = ((event.clientX - box.left) / box.width) * chart.svg.viewBox.baseVal.width;
    const share = Math.min(Math.max((x - left) / (right - left), 0), 1);
    return shown.from + share * (shown.to - shown.from);
  }

  function listen(chart) {
    const area = chart.svg.parentElement;
    let start = null;
    area.tabIndex = 0;
    area.setAttribute('role', 'group');
    area.setAttribute('aria-label', `Timeline of ${chart.svg.querySelector('title').textContent}. Arrow keys move the cursor, plus and minus zoom, Escape shows the whole run.`);
    chart.svg.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      start = timeOf(chart, event);
      chart.svg.setPointerCapture(event.pointerId);
    });
    chart.svg.addEventListener('pointermove', (event) => {
      const at = timeOf(chart, event);
      point(at);
      if (start === null) return;
      const [from, to] = [Math.min(start, at), Math.max(start, at)];
      charts.forEach((one) => {
        one.selection.setAttribute('x', across(one, from));
        one.selection.setAttribute('width', across(one, to) - across(one, from));
        one.selection.setAttribute('visibility', 'visible');
      });
    });
    const finish = (event) => {
      if (start === null) return;
      const [from, to] = [Math.min(start, timeOf(chart, event)), Math.max(start, timeOf(chart, event))];
      start = null;
      charts.forEach((one) => one.selection.setAttribute('visibility', 'hidden'));
      if (event.type === 'pointerup' && to - from > (shown.to - shown.from) / 100) show(from, to);
    };
    chart.svg.addEventListener('pointerup', finish);
    chart.svg.addEventListener('pointercancel', finish);
    chart.svg.addEventListener('pointerleave', () => start === null && point(null));
    chart.svg.addEventListener('dblclick', () => show(0, end));
    area.addEventListener('keydown', (event) => keys(chart, event));
  }

  function keys(chart, event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { edges } = chart.data;
    const move = (rows) => {
      const row = cursor === null ? rowAt(edges, (shown.from + shown.to) / 2) : rowAt(edges, cursor) + rows;
      const kept = Math.min(Math.max(row, 0), edges.length - 2);
      const at = (edges[kept] + edges[kept + 1]) / 2;
      if (at < shown.from) pan(-0.5);
      if (at > shown.to) pan(0.5);
      point(at);
      status.textContent = words(chart, at);
    };
    const actions = {
      ArrowLeft: () => move(event.shiftKey ? -10 : -1),
      ArrowRight: () => move(event.shiftKey ? 10 : 1),
      '+': () => zoom(0.5),
      '=': () => zoom(0.5),
      '-': () => zoom(2),
      Escape: () => show(0, end),
      0: () => show(0, end),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  function tools(place) {
    const button = (name, act) => {
      const made = document.createElement('button');
      made.type = 'button';
      made.textContent = name;
      made.addEventListener('click', act);
      return made;
    };
    const told = document.createElement('output');
    told.setAttribute('aria-live', 'polite');
    place.append(
      button('Zoom in', () => zoom(0.5)), button('Zoom out', () => zoom(2)),
      button('Earlier', () => pan(-0.5)), button('Later', () => pan(0.5)),
      button('Whole run', () => show(0, end)), told,
    );
    place.hidden = false;
    return told;
  }

  // What is folded away on the screen is printed all the same.
  addEventListener('beforeprint', () => document.querySelectorAll('details').forEach((one) => { one.open = true; }));

  // A link such as report.html#zoom=61200-64800 opens the page at a window.
  const asked = /^#zoom=(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(location.hash);
  if (asked && Number(asked[2]) > Number(asked[1])) show(Number(asked[1]), Number(asked[2]));
  else show(0, end);
})();
