//go:build !purego

#include "textflag.h"

// The UTF-8 check is that of Keiser and Lemire; see vector.go. The faults,
// one bit each:
//
//	01 a lead without continuation        10 a surrogate
//	02 a continuation without lead        20 an overlong form of two bytes
//	04 an overlong form of three bytes    40 an overlong form of four bytes,
//	08 beyond U+10FFFF                       or beyond U+13FFFF
//	                                      80 two continuations
//
// 80 is a fault unless the lead two or three bytes before asks for it.
//
// The characters that need an escape are found in the same way: by the high
// and the low four bits of one byte.

// Tables of 16 bytes, in the order of V16 to V20: faults by the high and by
// the low four bits of the first byte of two, and by the high four bits of
// the second; escapes by the high four bits (1 control, 2 quote or &,
// 4 < or >, 8 backslash) and by the low.
DATA tables<>+0(SB)/8, $0x0202020202020202
DATA tables<>+8(SB)/8, $0x4915012180808080
DATA tables<>+16(SB)/8, $0xCBCBCB8B8383A3E7
DATA tables<>+24(SB)/8, $0xCBCBDBCBCBCBCBCB
DATA tables<>+32(SB)/8, $0x0101010101010101
DATA tables<>+40(SB)/8, $0x01010101BABAAEE6
DATA tables<>+48(SB)/8, $0x0000080004020101
DATA tables<>+56(SB)/8, $0
DATA tables<>+64(SB)/8, $0x0101010101030101
DATA tables<>+72(SB)/8, $0x0101010901010101
// The last one with the characters of HTML.
DATA tables<>+80(SB)/8, $0x0103010101030101
DATA tables<>+88(SB)/8, $0x0105010D01010101
GLOBL tables<>(SB), RODATA|NOPTR, $96

// func copyStanding(dst []byte, s string, html bool) int
//
// Blocks of 16 bytes; the last one overlaps the one before so that it ends
// with s. Bytes before a block are loaded again, at their distance.
//
//	R0  dst                  V0  the block
//	R1  s                    V1  its high four bits
//	R2  len(s)               V2  what is wrong with each byte
//	R3  offset of the block  V5, V6, V7  one, two and three bytes before
//	R4  the last offset      V16 to V20  tables
//	R5  the byte before      V21 0F, V22 80, V23 E0, V24 F0, V25 E2, V26 A9,
//	R9  80, eight times          V27 01, each 16 times
TEXT ·copyStanding(SB), NOSPLIT, $0-56
	MOVD dst_base+0(FP), R0
	MOVD s_base+24(FP), R1
	MOVD s_len+32(FP), R2
	MOVBU html+40(FP), R6
	MOVD $tables<>(SB), R7
	VLD1 (R7), [V16.B16, V17.B16, V18.B16, V19.B16]
	ADD $64, R7
	ADD R6<<4, R7
	VLD1 (R7), [V20.B16]
	VMOVI $0x0F, V21.B16
	VMOVI $0x80, V22.B16
	VMOVI $0xE0, V23.B16
	VMOVI $0xF0, V24.B16
	VMOVI $0xE2, V25.B16
	VMOVI $0xA9, V26.B16
	VMOVI $0x01, V27.B16
	MOVD $0x8080808080808080, R9
	SUB $16, R2, R4
	MOVD $0, R3
	MOVD $0, R5

block:
	ADD R1, R3, R6
	ADD R0, R3, R7
	VLD1 (R6), [V0.B16]
	VST1 [V0.B16], (R7)
	VUSHR $4, V0.B16, V1.B16
	VAND V21.B16, V0.B16, V2.B16
	VTBL V2.B16, [V20.B16], V2.B16
	VTBL V1.B16, [V19.B16], V3.B16 // 0 where the top bit is set
	VAND V3.B16, V2.B16, V2.B16
	VMOV V0.D[0], R10
	VMOV V0.D[1], R11
	ORR R10, R11, R12
	ORR R5, R12, R12
	AND R9, R12, R12
	CBZ R12, decide // ASCII, also the byte before

	CBZ R3, start
	SUB $1, R6, R10
	VLD1 (R10), [V5.B16]
	SUB $2, R6, R10
	VLD1 (R10), [V6.B16]
	SUB $3, R6, R10
	VLD1 (R10), [V7.B16]

check:
	VUSHR $4, V5.B16, V3.B16
	VTBL V3.B16, [V16.B16], V3.B16
	VAND V21.B16, V5.B16, V4.B16
	VTBL V4.B16, [V17.B16], V4.B16
	VAND V3.B16, V4.B16, V4.B16
	VTBL V1.B16, [V18.B16], V1.B16
	VAND V1.B16, V4.B16, V4.B16
	VAND V23.B16, V6.B16, V3.B16
	VCMEQ V23.B16, V3.B16, V3.B16
	VAND V24.B16, V7.B16, V7.B16
	VCMEQ V24.B16, V7.B16, V7.B16
	VORR V3.B16, V7.B16, V7.B16
	VAND V22.B16, V7.B16, V7.B16
	VEOR V7.B16, V4.B16, V4.B16
	VORR V4.B16, V2.B16, V2.B16

	// E2 80 A8 and E2 80 A9 are the line separators.
	VORR V27.B16, V0.B16, V0.B16
	VCMEQ V26.B16, V0.B16, V0.B16
	VCMEQ V22.B16, V5.B16, V5.B16
	VCMEQ V25.B16, V6.B16, V6.B16
	VAND V0.B16, V5.B16, V5.B16
	VAND V5.B16, V6.B16, V6.B16
	VORR V6.B16, V2.B16, V2.B16

decide:
	VMOV V2.D[0], R10
	VMOV V2.D[1], R11
	ORR R10, R11, R12
	CBNZ R12, found
	ADD $16, R3
	CMP R4, R3
	BLE next
	CMP R2, R3
	BEQ done
	MOVD R4, R3

next:
	ADD R1, R3, R6
	MOVBU -1(R6), R5
	B block

start:
	// Nothing is before the first block.
	VEOR V4.B16, V4.B16, V4.B16
	VEXT $15, V0.B16, V4.B16, V5.B16
	VEXT $14, V0.B16, V4.B16, V6.B16
	VEXT $13, V0.B16, V4.B16, V7.B16
	B check

found:
	CBNZ R10, low
	ADD $8, R3
	MOVD R11, R10

low:
	RBIT R10, R10
	CLZ R10, R10
	ADD R10>>3, R3

done:
	MOVD R3, ret+48(FP)
	RET
