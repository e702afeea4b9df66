import type { z } from 'zod';
import type { ContactSettings } from '../../db/contact-rules.ts';
import type { contactRulesShown } from './schema.ts';

export function presentContactRules(settings: ContactSettings): z.input<typeof contactRulesShown> {
  const { userId, email, rules, timeZone } = settings;
  return { userId, email, rules, timeZone };
}
