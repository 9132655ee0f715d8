module github.com/olahol/melody

go 1.26.0
