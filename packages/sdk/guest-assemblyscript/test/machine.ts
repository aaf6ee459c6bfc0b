// A machine that uses every function of the SDK once, for guest.test.ts.

import {
  child,
  context,
  element,
  Json,
  JsonArray,
  JsonObject,
  Kind,
  log,
  message,
  now,
  patch,
  random,
  randomBelow,
  reject,
  reply,
  state,
} from '@deltabase/guest-assemblyscript';

export function init(): void {
  patch.add('', new JsonObject().set('made', true));
}

export function on_read(): void {
  reply(
    new JsonObject()
      .set('number', state.number('/number'))
      .set('noNumber', state.number('/text', -1))
      .set('integer', state.integer('/number'))
      .set('noInteger', state.integer('/none', 7))
      .set('text', state.text('/text'))
      .set('noText', state.text('/number', 'otherwise'))
      .set('isNull', state.textOrNull('/none') === null)
      .set('yes', state.flag('/yes'))
      .set('no', state.flag('/no', true))
      .set('noFlag', state.flag('/text', true))
      .set('has', state.has('/nothing'))
      .set('hasNot', state.has('/none'))
      .set('count', state.count('/list'))
      .set('noCount', state.count('/none'))
      .set('json', state.json('/list'))
      .set('noJson', state.json('/none'))
      .set('kinds', kinds())
      .set('payload', message.text('/long')),
  );
}

function kinds(): JsonArray {
  const names = ['none', 'nothing', 'no', 'yes', 'number', 'text', 'list', 'object'];
  const list = new JsonArray();
  for (let i = 0; i < names.length; i++) list.add(state.kind('/' + names[i]) == <Kind>i);
  return list;
}

export function on_keys(): void {
  const after = message.textOrNull('/after');
  const limit = <i32>message.integer('/limit', 1000);
  const names = state.keys('/object', after, limit);
  const list = new JsonArray();
  for (let i = 0; i < names.length; i++) list.add(names[i]);
  const first = state.key('/object', after);
  reply(
    new JsonObject()
      .set('names', list)
      .set('first', first === null ? Json.null() : new Json('"' + first + '"'))
      .set('noFirst', state.key('/none') === null)
      .set('noNames', state.keys('/text').length),
  );
}

export function on_patch(): void {
  patch.add('', new Json('{"list":[1,2,3],"old":"x"}'));
  patch.add('/i32', 7);
  patch.add('/u64', <u64>9007199254740991);
  patch.add('/f32', <f32>0.5);
  patch.add('/bool', true);
  patch.add('/text', 'a "quoted" \n 🙂');
  patch.add('/null', Json.null());
  patch.add('/object', new JsonObject().set('x', new JsonArray().add(1).add('two').add(false)));
  patch.add(child('', 'a/b~c'), 'escaped');
  patch.add(child('', 'plain'), 'as it is');
  patch.add(element('/list', -1), 4);
  patch.add(element('/list', 0), 0);
  patch.replace('/old', 'y');
  patch.test('/old', 'y');
  patch.move('/old', '/new');
  patch.copy('/list', '/copy');
  patch.remove('/list');
}

export function on_context(): void {
  const all = [context.space(), context.key(), context.channel(), context.principal()];
  all.push(context.messageId());
  const list = new JsonArray();
  for (let i = 0; i < all.length; i++) list.add(all[i]);
  reply(list.add(now()));
}

export function on_random(): void {
  const counts = new StaticArray<i32>(3);
  for (let i = 0; i < 3000; i++) counts[randomBelow(3)]++;
  reply(new JsonArray().add(random()).add(counts[0]).add(counts[1]).add(counts[2]));
}

export function on_log(): void {
  log.debug('one');
  log.info('two');
  log.warn('three');
  log.error('four é');
}

export function on_echo(): void {
  if (message.kind('') == Kind.Number) reply(message.number(''));
  else if (message.kind('') == Kind.Text) reply(message.text(''));
  else if (message.kind('') == Kind.True) reply(true);
  else reply(new Json(message.json('')));
}

export function on_reject(): void {
  patch.add('/lost', 1);
  reject('because é');
}

export function on_throw(): void {
  throw new Error('broken');
}

export function on_assert(): void {
  assert(message.has('/none'), 'it is there');
}

export function on_beyond(): void {
  const list = new Array<i32>(3);
  reply(list[<i32>message.integer('/i')]);
}

export function on_nan(): void {
  reply(new JsonObject().set('x', NaN));
}
