// Times in the reader's zone, kept fresh: rewrites <time datetime data-time="ago|clock|until|left|running|absolute"> as
// web/layout/moments.ts writes them in UTC, and the <text data-at data-time> of a chart's axis.
const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const dayMs = 86_400_000;
const two = (n) => String(n).padStart(2, '0');

export function clockText(at, now) {
  const date = new Date(at);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === new Date(now).toDateString()) return time;
  if (Math.abs(at - now) < 6 * dayMs) return `${weekdays[date.getDay()]} ${time}`;
  return `${dayText(at, now)} ${time}`;
}

function dayText(at, now) {
  const date = new Date(at);
  const day = `${date.getDate()} ${months[date.getMonth()]}`;
  return date.getFullYear() === new Date(now).getFullYear() ? day : `${day} ${date.getFullYear()}`;
}

function durationText(ms) {
  const total = Math.max(0, Math.floor(ms / 1000));
  if (total < 60) return `${total} s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function agoText(at, now) {
  const past = now - at;
  if (past < 45_000) return past < -45_000 ? untilText(at, now) : 'just now';
  if (past >= 7 * dayMs) return dayText(at, now);
  const unit = past < 60_000 ? 1000 : past < 3_600_000 ? 60_000 : past < 2 * dayMs ? 3_600_000 : dayMs;
  return `${durationText(Math.floor(past / unit) * unit)} ago`;
}

function untilText(at, now) {
  const left = Math.floor((at - now) / 1000);
  if (left <= 0) return 'now';
  if (left < 3600 && left >= 60)
    return `in ${Math.floor(left / 60)} min${left % 60 ? ` ${left % 60} s` : ''}`;
  return `in ${durationText(left * 1000)}`;
}

function leftText(at, now) {
  const left = at - now;
  return left <= 0 ? 'now' : durationText(left < 120_000 ? left : Math.floor(left / 60_000) * 60_000);
}

// what is left of a clock that does not run in its pauses, [from, to) in epoch milliseconds
function runningText(at, now, element) {
  if (now >= at) return 'over';
  const pauses = JSON.parse(element.dataset.pauses);
  const paused = pauses.reduce(
    (sum, [from, to]) => sum + Math.max(0, Math.min(to, at) - Math.max(from, now)),
    0,
  );
  const left = `${leftText(at - paused, now)} left`;
  return pauses.some(([from, to]) => from <= now && now < to) ? `paused, ${left}` : left;
}

function absoluteText(at) {
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

const texts = {
  ago: agoText,
  clock: clockText,
  until: untilText,
  left: leftText,
  running: runningText,
  absolute: absoluteText,
};
const moving = ['ago', 'until', 'left', 'running'].map((style) => `time[data-time="${style}"]`).join();
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Writes all times under `root`; without `all`, only those that move. */
export function freshen(root = document, all = true) {
  const now = Date.now();
  for (const element of root.querySelectorAll(all ? '[data-time]' : moving)) {
    const at = Date.parse(element.dateTime ?? element.dataset.at);
    const text = texts[element.dataset.time]?.(at, now, element);
    if (text !== undefined && element.textContent !== text) element.textContent = text;
    if (all && element.dateTime !== undefined) {
      const title = `${absoluteText(at)} ${zone}\n${element.dateTime}`;
      if (element.title !== title) element.title = title;
    }
  }
}

freshen();
for (const field of document.querySelectorAll('input[data-own-zone]')) field.value = zone;
for (const element of document.querySelectorAll('[data-zone]')) element.textContent = `Times are in ${zone}`;
setInterval(() => {
  if (!document.hidden) freshen(document, false);
}, 1000);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) freshen();
});
