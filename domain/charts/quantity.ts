/** A measured value with its unit, short enough for an axis: '1.2 s', '340 ms', '97 %', '2.4 GiB', '12,000 req/s'. */
export function formatQuantity(value: number, unit: string | null): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  switch (unit?.toLowerCase()) {
    case 's':
    case 'seconds':
      if (size > 0 && size < 0.001) return `${digits(value * 1e6)} µs`;
      return size > 0 && size < 1 ? `${digits(value * 1000)} ms` : `${digits(value)} s`;
    case 'ms':
    case 'milliseconds':
      return size >= 10_000 ? `${digits(value / 1000)} s` : `${digits(value)} ms`;
    case 'ratio':
      return `${digits(value * 100)} %`;
    case '%':
    case 'percent':
      return `${digits(value)} %`;
    case 'bytes':
    case 'b':
      return bytes(value);
    default:
      return unit ? `${digits(value)} ${unit}` : digits(value);
  }
}

const prefixes = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

function bytes(value: number): string {
  const power = Math.min(
    prefixes.length - 1,
    value === 0 ? 0 : Math.max(0, Math.floor(Math.log2(Math.abs(value)) / 10)),
  );
  return `${digits(value / 1024 ** power)} ${prefixes[power]}`;
}

/** Three digits that count; from a million on as '1.2 M'. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${rounded(value / 1e9)} G`;
  if (size >= 1e6) return `${rounded(value / 1e6)} M`;
  return rounded(value);
}

const rounded = (value: number): string =>
  value.toLocaleString(
    'en-GB',
    Math.abs(value) >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 },
  );

/** Some `count` round values from at or below `low` to at or above `high`, in steps of 1, 2, 2.5 or 5. */
export function roundTicks(low: number, high: number, count: number): number[] {
  const span = high > low ? high - low : Math.abs(high) || 1;
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}
