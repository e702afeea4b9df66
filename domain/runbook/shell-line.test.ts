import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileShellLine } from './shell-line.ts';

const compiled = (text: string) => {
  const result = compileShellLine(text);
  if ('problems' in result) throw new Error(result.problems.map(({ message }) => message).join('; '));
  return result;
};
const refusal = (text: string) => {
  const result = compileShellLine(text);
  return 'problems' in result ? result.problems.map(({ message }) => message).join('; ') : 'accepted';
};
const shell = (text: string, values: Record<string, string>): string => {
  const { line, variables } = compiled(text);
  return execFileSync('/bin/sh', ['-c', line, 'sh', ...variables.map((name) => values[name]!)], {
    encoding: 'utf8',
  });
};

describe('variables in a shell line', () => {
  it('become positional parameters that quote themselves', () => {
    expect(compiled('systemctl restart {{service_name}}')).toEqual({
      line: `systemctl restart "$\{1}"`,
      variables: ['service_name'],
    });
  });

  it('take one parameter each, however often they are used, and more than nine of them', () => {
    const names = Array.from({ length: 12 }, (_, index) => `v${index}`);
    const text = `echo ${names.map((name) => `{{${name}}}`).join(' ')} {{v0}}`;
    const values = Object.fromEntries(names.map((name, index) => [name, `<${index}>`]));
    expect(shell(text, values).trim()).toBe(`${Object.values(values).join(' ')} <0>`);
  });

  it.each([
    'echo $(date) {{x}}',
    "test -d {{x}} && echo yes || echo no # it's {{x}}",
    'for f in {{x}} b; do echo $f; done',
    'A={{x}} printenv A > /dev/null; echo {{x}} | tr a b',
    'echo "quoted $(basename /a/b)" {{x}}',
    "docker inspect --format '{{.State.Status}}' {{x}}",
    'if [ -n {{x}} ]; then echo {{x}}; fi',
    'echo a{{x}}b',
    "awk '{print $1}' {{x}}",
    'sed -n 1,20p {{x}}',
    'sudo -n systemctl restart {{x}}',
    'sh -c \'echo "$1"\' sh {{x}}',
    'echo one\necho {{x}}',
    'set -eu; echo {{x}}',
    'curl --data x={{x}} http://127.0.0.1/ || true',
  ])('are accepted in %j', (text) => {
    expect(refusal(text)).toBe('accepted');
  });

  it.each([
    ["echo '{{x}}'", /single quotes/],
    ['echo "{{x}}"', /double quotes/],
    ['echo "a $(echo {{x}})"', /double quotes/],
    ['echo "$(echo "{{x}}")"', /double quotes/],
    ['echo `echo {{x}}`', /backticks/],
    [`echo $\{A:-{{x}}}`, /braces/],
    ['echo $(( {{x}} + 1 ))', /arithmetic/],
    ['(( {{x}} ))', /arithmetic/],
    ['echo \\{{x}}', /backslash/],
    [`echo $\{{x}}`, /'\$' before a variable/],
    ['{{x}} --version', /name the program/],
    ['ls; {{x}}', /name the program/],
    ['ls $({{x}})', /name the program/],
    ['eval {{x}}', /'eval' reads its arguments as commands/],
    ['sudo -u web eval {{x}}', /'eval'/],
    ['ssh web1 systemctl restart {{x}}', /'ssh'/],
    ['sh -c {{x}}', /runs this argument as code/],
    ['docker exec web bash -lc {{x}}', /runs this argument as code/],
    ['python3 -c {{x}}', /as code/],
    ['cat <<END\n{{x}}\nEND', /here-document/],
    ['[[ {{x}} -eq 1 ]]', /\[\[/],
    ['f() { echo {{x}}; }; f a', /function/],
    ['set -- a b; echo {{x}}', /\$1/],
    ['sed s/a/{{x}}/ file', /program/],
    ['sed -e {{x}} file', /program/],
    ['shift; echo {{x}}', /\$1/],
    ['set -- {{x}}', /\$1/],
    ['echo $1 {{x}}', /\$1/],
    ["echo $'a' {{x}}", /plain quotes/],
    ['case {{x}} in a) echo;; esac', /case/],
  ])('are refused in %j', (text, message) => {
    expect(refusal(text)).toMatch(message);
  });
});

const hostile = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(
        fc.constantFrom(
          "'",
          '"',
          '`',
          '$(touch /tmp/pwned)',
          '`id`',
          '\\',
          '\n',
          '\r\n',
          ';',
          '&&',
          '|',
          '>',
          '<',
          '*',
          '?',
          '~',
          '$HOME',
          `$\{IFS}`,
          '-rf',
          '--',
          '{{x}}',
          '"$1"',
          '$1',
          '!',
          '#',
          ' ',
          '\t',
          '\u001b[31m',
          'a',
          '(',
          ')',
          '{',
          '}',
        ),
        { maxLength: 12 },
      )
      .map((parts) => parts.join('')),
  )
  .filter((value) => !value.includes('\0') && Buffer.from(value).toString() === value);

describe('no value, however hostile,', () => {
  it('is anything but the one argument that it is', () => {
    fc.assert(
      fc.property(hostile, hostile, (x, y) => {
        const output = shell("printf '%s\\037' before {{x}} mid{{y}}dle $(printf z) {{x}} after", { x, y });
        expect(output.split('\u001f').slice(0, -1)).toEqual(['before', x, `mid${y}dle`, 'z', x, 'after']);
      }),
      { numRuns: 300 },
    );
  });

  it('survives subshells, pipes, conditions and assignments unchanged', () => {
    fc.assert(
      fc.property(hostile, (x) => {
        const output = shell(
          "A={{x}}; (printf '%s\\037' {{x}}) | cat; if true; then printf '%s\\037' \"$A\" {{x}}; fi && printf '%s\\037' {{x}}",
          { x },
        );
        expect(output.split('\u001f').slice(0, -1)).toEqual([x, x, x, x]);
      }),
      { numRuns: 150 },
    );
  });
});
