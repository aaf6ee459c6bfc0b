import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import fc from 'fast-check';
import { decodePeerMessage, encodePeerFrame } from '../src/peer-frame.js';
import { SUBSCRIBE } from '../src/peer-protocol.js';

const protos = loadSync('deltabase/internal/v1/peer.proto', {
  includeDirs: [fileURLToPath(new URL('../../../../../proto', import.meta.url))],
});
const service = protos['deltabase.internal.v1.PeerService'] as unknown as {
  Subscribe: {
    path: string;
    requestStream: boolean;
    responseStream: boolean;
    responseDeserialize(bytes: Buffer): { crc: number; frame?: Uint8Array };
    responseSerialize(message: object): Buffer;
  };
};
const { Subscribe } = service;

/** gRPC over HTTP/2, "Length-Prefixed-Message". */
const HEADER_BYTES = 5;

/** The message in the frame of gRPC that carries `frame`. */
function encodePeerMessage(frame: Uint8Array): Buffer {
  return encodePeerFrame(frame).subarray(HEADER_BYTES);
}

test('a frame has these bytes, in every release', () => {
  const frame = encodePeerFrame(Buffer.from('123456789'));
  // It is not compressed, and has 16 bytes. CRC-32 of "123456789" is cbf43926, the check value of the algorithm.
  assert.equal(frame.toString('hex'), '0000000010' + '0d2639f4cb1209313233343536373839');
});

test('messages are those of peer.proto', () => {
  assert.deepEqual(
    [SUBSCRIBE.path, SUBSCRIBE.requestStream, SUBSCRIBE.responseStream],
    [Subscribe.path, Subscribe.requestStream, Subscribe.responseStream],
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (frame) => {
      const message = encodePeerMessage(frame);
      const read = Subscribe.responseDeserialize(message);
      assert.deepEqual([...read.frame!], [...frame]);
      assert.equal(Subscribe.responseSerialize(read).toString('hex'), message.toString('hex'));
    }),
  );
});

test('a frame comes out as it went in, whatever its length', () => {
  for (const length of [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
    const frame = Buffer.alloc(length, length % 251);
    const read = decodePeerMessage(encodePeerMessage(frame));
    assert(read !== undefined && Buffer.compare(read, frame) === 0, `${length} bytes`);
  }
});

test('a message with any changed, missing or added byte is not read', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (frame, where, change) => {
        const message = encodePeerMessage(frame);
        const at = where % message.length;
        const flipped = Buffer.from(message);
        flipped[at] = flipped[at]! ^ change;
        assert.equal(decodePeerMessage(flipped), undefined);
        assert.equal(decodePeerMessage(message.subarray(0, at)), undefined);
        assert.equal(decodePeerMessage(Buffer.concat([message, Buffer.from([change])])), undefined);
      },
    ),
  );
});
