import { z } from 'zod';
import type { SshAction } from '../definition.ts';
import { isHost } from '../host.ts';
import { shownValue } from '../shown-text.ts';
import { fillTemplate, placeholders } from '../template.ts';
import { secretReference, text, wholeNumber } from '../written.ts';
import { describeForm, formKeys, formProblems, formTemplates, readForm, renderForm } from './command-form.ts';
import type { EffectTypeShape } from './step-type.ts';

const hostKey = z
  .string('write a host key as text')
  .max(2000)
  .regex(
    /^(?:SHA256:[A-Za-z0-9+/]{43}=?|(?:ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/]+={0,2}(?: .*)?)$/,
    "write a host key as 'ssh-ed25519 AAAA…' (a line of known_hosts without the host) or as its fingerprint 'SHA256:…'",
  );

const keys = {
  host: text('host', 300).describe('Name or address; a host that is a {{variable}} must be allowed.'),
  port: wholeNumber('port', 1, 65_535).default(22),
  user: text('user', 100),
  key: secretReference('key').describe('The private key: env:NAME, file:NAME or ssm:/path.'),
  host_keys: z
    .array(hostKey, 'write host_keys as a list')
    .max(20)
    .optional()
    .describe('Public keys or SHA256 fingerprints that the host may have. Default: known_hosts decides.'),
  ...formKeys,
};

const userName = /^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?$/;

export const sshType: EffectTypeShape<SshAction, typeof keys> = {
  kind: 'ssh',
  keys,
  templates: ['host', 'user', ...formTemplates],
  inherited: ['host', 'port', 'user', 'key', 'host_keys', 'requires_sudo'],
  defaultTimeoutMs: 300_000,
  read: (written) => ({
    kind: 'ssh',
    host: written.host,
    port: written.port,
    user: written.user,
    key: written.key,
    hostKeys: written.host_keys ?? [],
    form: readForm(written),
    requiresSudo: written.requires_sudo ?? false,
  }),
  *validate(written, action) {
    if (placeholders(action.host).length === 0 && !isHost(action.host)) {
      yield { place: ['host'], message: 'write host as a name or an address, with the port in port:' };
    }
    if (placeholders(action.user).length === 0 && !userName.test(action.user)) {
      yield { place: ['user'], message: 'write user as the name of an account on the host' };
    }
    yield* formProblems(written, action.form);
  },
  render(action, values) {
    const host = fillTemplate(action.host, values);
    if (!isHost(host))
      throw new RangeError(`'${host}' is no host; expected a name, or an address in full such as 10.0.0.1`);
    const user = fillTemplate(action.user, values);
    if (!userName.test(user)) throw new RangeError(`'${user}' is no name of a user`);
    return {
      kind: 'ssh',
      host,
      port: action.port,
      hostFromVariable: placeholders(action.host).length > 0,
      user,
      key: action.key,
      hostKeys: action.hostKeys,
      argv: renderForm(action.form, values),
      requiresSudo: action.requiresSudo,
    };
  },
  describe(action, values) {
    const at = shownValue(`${fillTemplate(action.user, values)}@${fillTemplate(action.host, values)}`);
    const port = action.port === 22 ? '' : ` port ${action.port}`;
    return `on ${at}${port} with key ${action.key}\n${describeForm(action.form, action.requiresSudo, values)}`;
  },
};
