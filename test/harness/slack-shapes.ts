/**
 * What Slack refuses in a message or a modal, by its own reference:
 * https://docs.slack.dev/reference/block-kit/blocks, https://docs.slack.dev/reference/views/modal-views
 */

// biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came
type Json = any;

export function problemsOfMessage(message: Json): string[] {
  const known = ['text', 'blocks', 'response_type', 'replace_original', 'delete_original'];
  const foreign = Object.keys(message).filter((key) => !known.includes(key));
  return [
    ...foreign.map((key) => `message: ${key} is unknown`),
    ...(typeof message.text === 'string' && message.text !== '' ? [] : ['message: no text']),
    ...problemsOfText(message.text ?? '', 'message.text', 40_000),
    ...problemsOfBlocks(message.blocks ?? [], 50),
  ];
}

export function problemsOfModal(modal: Json): string[] {
  const inputs = (modal.blocks ?? []).some(({ type }: Json) => type === 'input');
  return [
    ...(modal.type === 'modal' ? [] : ['modal: wrong type']),
    ...plainProblems(modal.title, 'modal.title', 24),
    ...(modal.close ? plainProblems(modal.close, 'modal.close', 24) : []),
    ...(modal.submit ? plainProblems(modal.submit, 'modal.submit', 24) : []),
    ...(inputs && !modal.submit ? ['modal: inputs without submit'] : []),
    ...((modal.private_metadata ?? '').length > 3000 ? ['modal: private_metadata too long'] : []),
    ...problemsOfBlocks(modal.blocks ?? [], 100),
  ];
}

function problemsOfBlocks(blocks: Json[], most: number): string[] {
  const ids = blocks.map(({ block_id }) => block_id).filter(Boolean);
  return [
    ...(blocks.length > most ? [`${blocks.length} blocks`] : []),
    ...(new Set(ids).size < ids.length ? ['a block_id twice'] : []),
    ...blocks.flatMap((block, index) => problemsOfBlock(block, `blocks.${index}`)),
  ];
}

function problemsOfBlock(block: Json, at: string): string[] {
  switch (block.type) {
    case 'section':
      return [
        ...textProblems(block.text, `${at}.text`, 3000),
        ...(block.fields ?? []).flatMap((field: Json) => textProblems(field, `${at}.fields`, 2000)),
        ...((block.fields?.length ?? 0) > 10 ? [`${at}: more than ten fields`] : []),
      ];
    case 'context':
      return [
        ...(block.elements.length < 1 || block.elements.length > 10 ? [`${at}: 1 to 10 elements`] : []),
        ...block.elements.flatMap((text: Json) => textProblems(text, at, 3000)),
      ];
    case 'divider':
      return [];
    case 'actions':
      return [
        ...(block.elements.length < 1 || block.elements.length > 25 ? [`${at}: 1 to 25 elements`] : []),
        ...(new Set(block.elements.map((each: Json) => each.action_id)).size < block.elements.length
          ? [`${at}: an action_id twice`]
          : []),
        ...block.elements.flatMap((each: Json) => problemsOfElement(each, at)),
      ];
    case 'input':
      return [
        ...(block.block_id.length > 255 ? [`${at}: block_id too long`] : []),
        ...plainProblems(block.label, `${at}.label`, 2000),
        ...(block.hint ? plainProblems(block.hint, `${at}.hint`, 2000) : []),
        ...problemsOfElement(block.element, at),
      ];
    default:
      return [`${at}: ${block.type} is unknown`];
  }
}

function problemsOfElement(element: Json, at: string): string[] {
  const id = element.action_id?.length > 255 || !element.action_id ? [`${at}: action_id`] : [];
  switch (element.type) {
    case 'button':
      return [
        ...id,
        ...plainProblems(element.text, `${at}.button`, 75),
        ...((element.value?.length ?? 0) > 2000 ? [`${at}: value too long`] : []),
        ...((element.url?.length ?? 0) > 3000 ? [`${at}: url too long`] : []),
        ...(element.style === undefined || ['primary', 'danger'].includes(element.style)
          ? []
          : [`${at}: style`]),
      ];
    case 'plain_text_input':
      return [
        ...id,
        ...(element.max_length > 3000 ? [`${at}: max_length`] : []),
        ...((element.initial_value?.length ?? 0) > element.max_length ? [`${at}: initial_value`] : []),
      ];
    case 'static_select':
      return [
        ...id,
        ...plainProblems(element.placeholder, `${at}.placeholder`, 150),
        ...(element.options.length < 1 || element.options.length > 100 ? [`${at}: 1 to 100 options`] : []),
        ...element.options.flatMap((option: Json) => [
          ...plainProblems(option.text, `${at}.option`, 75),
          ...(option.value.length < 1 || option.value.length > 150 ? [`${at}: option value`] : []),
        ]),
      ];
    default:
      return [`${at}: ${element.type} is unknown`];
  }
}

function textProblems(text: Json, at: string, most: number): string[] {
  if (text?.type === 'plain_text') return plainProblems(text, at, most);
  if (text?.type !== 'mrkdwn') return [`${at}: no text object`];
  return problemsOfText(text.text, at, most);
}

/** Nothing from outside may call people or lead anywhere: of what begins with '<', only links and dates are meant. */
function problemsOfText(text: string, at: string, most: number): string[] {
  const calls = text.match(/<(?!https?:\/\/[^<>\s]+\|[^<>]*>|!date\^\d+\^[^<>|]+\|[^<>]+>)[^>]{0,20}/g) ?? [];
  return [
    ...(text.length < 1 || text.length > most ? [`${at}: ${text.length} characters`] : []),
    ...calls.map((call) => `${at}: ${call}`),
  ];
}

function plainProblems(text: Json, at: string, most: number): string[] {
  if (text?.type !== 'plain_text') return [`${at}: no plain text`];
  return text.text.length < 1 || text.text.length > most ? [`${at}: ${text.text.length} characters`] : [];
}
