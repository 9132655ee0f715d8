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

// Faults by the high four bits of the first byte of two.
DATA firstHigh<>+0(SB)/8, $0x0202020202020202
DATA firstHigh<>+8(SB)/8, $0x4915012180808080
GLOBL firstHigh<>(SB), RODATA|NOPTR, $16

// Faults by the low four bits of the first byte of two.
DATA firstLow<>+0(SB)/8, $0xCBCBCB8B8383A3E7
DATA firstLow<>+8(SB)/8, $0xCBCBDBCBCBCBCBCB
GLOBL firstLow<>(SB), RODATA|NOPTR, $16

// Faults by the high four bits of the second byte of two.
DATA secondHigh<>+0(SB)/8, $0x0101010101010101
DATA secondHigh<>+8(SB)/8, $0x01010101BABAAEE6
GLOBL secondHigh<>(SB), RODATA|NOPTR, $16

// Escapes by the high four bits: 1 control, 2 quote or &, 4 < or >, 8 backslash.
DATA escapeHigh<>+0(SB)/8, $0x0000080004020101
DATA escapeHigh<>+8(SB)/8, $0
GLOBL escapeHigh<>(SB), RODATA|NOPTR, $16

// Escapes by the low four bits.
DATA escapeLow<>+0(SB)/8, $0x0101010101030101
DATA escapeLow<>+8(SB)/8, $0x0101010901010101
GLOBL escapeLow<>(SB), RODATA|NOPTR, $16

// Escapes by the low four bits, those of HTML too.
DATA escapeLowHTML<>+0(SB)/8, $0x0103010101030101
DATA escapeLowHTML<>+8(SB)/8, $0x0105010D01010101
GLOBL escapeLowHTML<>(SB), RODATA|NOPTR, $16

// Single bytes, each 16 times.
#define BYTES(name, word) \
	DATA name<>+0(SB)/8, $word; \
	DATA name<>+8(SB)/8, $word; \
	DATA name<>+16(SB)/8, $word; \
	DATA name<>+24(SB)/8, $word; \
	GLOBL name<>(SB), RODATA|NOPTR, $32

BYTES(low4, 0x0F0F0F0F0F0F0F0F)
BYTES(thirdLess, 0x6060606060606060)  // E0 - 80
BYTES(fourthLess, 0x7070707070707070) // F0 - 80
BYTES(top, 0x8080808080808080)
BYTES(one, 0x0101010101010101)
BYTES(bytesA9, 0xA9A9A9A9A9A9A9A9)
BYTES(bytesE2, 0xE2E2E2E2E2E2E2E2)

// func copyBlocks(dst []byte, s string, html bool, escapes *Escapes) (read, written int)
//
// Blocks of 32 bytes; the last one overlaps the one before so that it ends
// with s. Bytes before a block are loaded again, at their distance. After an
// escape the next block begins behind it.
//
//	DI  dst, moved by what     Y0  the block
//	    escapes are longer     Y1  its high four bits
//	SI  s                      Y2  what is wrong with each byte
//	CX  len(s)                 Y5, Y6, Y7  one, two and three bytes before
//	DX  offset of the block    Y8, Y9  escapes by low and high four bits
//	R8  the last offset        Y10, Y11, Y12  faults by firstHigh, firstLow,
//	R9  the byte before            secondHigh
//	R10 escapes                Y13 low4, Y14 thirdLess, Y15 fourthLess
//	R11 the highest DI for one more escape
TEXT ·copyBlocks(SB), NOSPLIT, $0-72
	MOVQ dst_base+0(FP), DI
	MOVQ s_base+24(FP), SI
	MOVQ s_len+32(FP), CX
	MOVQ escapes+48(FP), R10
	LEAQ escapeLow<>(SB), AX
	LEAQ escapeLowHTML<>(SB), BX
	CMPB html+40(FP), $0
	CMOVQNE BX, AX
	VBROADCASTI128 (AX), Y8
	VBROADCASTI128 escapeHigh<>(SB), Y9
	VBROADCASTI128 firstHigh<>(SB), Y10
	VBROADCASTI128 firstLow<>(SB), Y11
	VBROADCASTI128 secondHigh<>(SB), Y12
	VMOVDQU low4<>(SB), Y13
	VMOVDQU thirdLess<>(SB), Y14
	VMOVDQU fourthLess<>(SB), Y15
	MOVQ dst_len+8(FP), R11
	SUBQ CX, R11
	LEAQ -16(DI)(R11*1), R11
	LEAQ -32(CX), R8
	XORL DX, DX
	XORL R9, R9

block:
	VMOVDQU (SI)(DX*1), Y0
	VMOVDQU Y0, (DI)(DX*1)
	VPSRLW $4, Y0, Y1
	VPAND Y13, Y1, Y1
	VPSHUFB Y0, Y8, Y2 // 0 where the top bit is set
	VPSHUFB Y1, Y9, Y3
	VPAND Y3, Y2, Y2
	VPMOVMSKB Y0, AX
	ORL R9, AX
	JNZ beyond

	// ASCII, also the byte before.
	VPXOR Y4, Y4, Y4
	VPCMPEQB Y4, Y2, Y2
	VPMOVMSKB Y2, AX
	XORL $-1, AX
	JZ advance
	TZCNTL AX, AX
	ADDQ AX, DX
	CMPQ DI, R11
	JGT done
	MOVBLZX (SI)(DX*1), AX
	MOVQ (R10)(AX*8), AX
	MOVQ AX, (DI)(DX*1)
	SHRQ $56, AX
	LEAQ -1(DI)(AX*1), DI
	INCQ DX
	CMPQ DX, R8
	JLE block
	JMP done

beyond:
	CMPQ DX, $3
	JLT start
	VMOVDQU -1(SI)(DX*1), Y5
	VMOVDQU -2(SI)(DX*1), Y6
	VMOVDQU -3(SI)(DX*1), Y7

check:
	VPSRLW $4, Y5, Y3
	VPAND Y13, Y3, Y3
	VPSHUFB Y3, Y10, Y3
	VPAND Y13, Y5, Y4
	VPSHUFB Y4, Y11, Y4
	VPAND Y3, Y4, Y4
	VPSHUFB Y1, Y12, Y1
	VPAND Y1, Y4, Y4
	VPSUBUSB Y14, Y6, Y3
	VPSUBUSB Y15, Y7, Y7
	VPOR Y3, Y7, Y7
	VPAND top<>(SB), Y7, Y7
	VPXOR Y7, Y4, Y4
	VPOR Y4, Y2, Y2

	// E2 80 A8 and E2 80 A9 are the line separators.
	VPOR one<>(SB), Y0, Y0
	VPCMPEQB bytesA9<>(SB), Y0, Y0
	VPCMPEQB top<>(SB), Y5, Y5
	VPCMPEQB bytesE2<>(SB), Y6, Y6
	VPAND Y0, Y5, Y5
	VPAND Y5, Y6, Y6
	VPOR Y6, Y2, Y2

	VPXOR Y4, Y4, Y4
	VPCMPEQB Y4, Y2, Y2
	VPMOVMSKB Y2, AX
	XORL $-1, AX
	JNZ found

advance:
	ADDQ $32, DX
	CMPQ DX, R8
	JLE next
	CMPQ DX, CX
	JEQ done
	MOVQ R8, DX // not before an escape: the block behind one began at most here

next:
	MOVBLZX -1(SI)(DX*1), R9
	ANDL $0x80, R9
	JMP block

start:
	// Nothing, or an escape, is before this block.
	VPERM2I128 $0x08, Y0, Y0, Y4
	VPALIGNR $15, Y4, Y0, Y5
	VPALIGNR $14, Y4, Y0, Y6
	VPALIGNR $13, Y4, Y0, Y7
	JMP check

found:
	TZCNTL AX, AX
	ADDQ AX, DX

done:
	VZEROUPPER
	MOVQ DX, read+56(FP)
	ADDQ DI, DX
	SUBQ dst_base+0(FP), DX
	MOVQ DX, written+64(FP)
	RET

// func hasAVX2() bool
TEXT ·hasAVX2(SB), NOSPLIT, $0-1
	MOVB $0, ret+0(FP)
	XORL AX, AX
	CPUID
	CMPL AX, $7
	JL no
	MOVL $1, AX
	CPUID
	ANDL $0x18000000, CX // AVX, and XGETBV enabled by the system
	CMPL CX, $0x18000000
	JNE no
	XORL CX, CX
	XGETBV
	ANDL $6, AX // SSE and AVX registers saved
	CMPL AX, $6
	JNE no
	MOVL $7, AX
	XORL CX, CX
	CPUID
	SHRL $5, BX
	ANDL $1, BX
	MOVB BX, ret+0(FP)
no:
	RET
